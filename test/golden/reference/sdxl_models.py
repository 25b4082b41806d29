"""Small random-weight pipelines in the shapes of SDXL's family, written as published folders are.

SDXL itself; SSD-1B (Segmind-Vega is alike), whose transformers have a depth of their own in each attention and whose mid block is one
resnet; KOALA-700M, which lacks the mid block, and KOALA-1B, which has it. The configs carry the keys that matter in the published ones.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from tiny_models import BETAS, randomise, write_json
from tiny_tokenizer import write_tokenizer

EULER = {
    "_class_name": "EulerDiscreteScheduler", "_diffusers_version": "0.19.0.dev0", **BETAS, "clip_sample": False,
    "interpolation_type": "linear", "prediction_type": "epsilon", "sample_max_value": 1.0, "set_alpha_to_one": False,
    "skip_prk_steps": True, "steps_offset": 1, "timestep_spacing": "leading", "trained_betas": None, "use_karras_sigmas": False,
}


@dataclass(frozen=True)
class Shape:
    seed: int
    layers: int = 2
    depths: object = (1, 2, 3)
    up_depths: object = None
    mid: str | None = "UNetMidBlock2DCrossAttn"
    dtype: torch.dtype = torch.float32


SHAPES = {
    "tiny-sdxl": Shape(seed=21, dtype=torch.float16),
    "tiny-ssd": Shape(seed=22, depths=[1, [2, 1], [1, 2]], up_depths=[[2, 1, 3], [2, 1, 1], 1], mid="UNetMidBlock2D", dtype=torch.float16),
    "tiny-koala": Shape(seed=23, layers=1, depths=[0, 1, 2], mid=None, dtype=torch.float16),
    "tiny-koala-1b": Shape(seed=24, layers=1, depths=[1, 1, 3], dtype=torch.float16),
}
CHANNELS, HEADS, WIDTHS, PROJECTION, SIZES = (8, 16, 24), [1, 2, 3], (16, 24), 20, 8


def unet_config(s: Shape) -> dict:
    return {
        "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.19.0.dev0", "act_fn": "silu",
        "addition_embed_type": "text_time", "addition_embed_type_num_heads": 64, "addition_time_embed_dim": SIZES,
        "attention_head_dim": HEADS, "block_out_channels": list(CHANNELS), "center_input_sample": False, "class_embed_type": None,
        "class_embeddings_concat": False, "conv_in_kernel": 3, "conv_out_kernel": 3, "cross_attention_dim": sum(WIDTHS),
        "cross_attention_norm": None, "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        "downsample_padding": 1, "dual_cross_attention": False, "encoder_hid_dim": None, "encoder_hid_dim_type": None,
        "flip_sin_to_cos": True, "freq_shift": 0, "in_channels": 4, "layers_per_block": s.layers,
        "mid_block_only_cross_attention": None, "mid_block_scale_factor": 1, "mid_block_type": s.mid, "norm_eps": 1e-05,
        "norm_num_groups": 4, "num_attention_heads": None, "num_class_embeds": None, "only_cross_attention": False,
        "out_channels": 4, "projection_class_embeddings_input_dim": PROJECTION + 6 * SIZES, "resnet_out_scale_factor": 1.0,
        "resnet_skip_time_act": False, "resnet_time_scale_shift": "default", "sample_size": 8, "time_cond_proj_dim": None,
        "time_embedding_act_fn": None, "time_embedding_dim": None, "time_embedding_type": "positional", "timestep_post_act": None,
        "transformer_layers_per_block": list(s.depths), "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
        "upcast_attention": None, "use_linear_projection": True,
        **({"reverse_transformer_layers_per_block": s.up_depths} if s.up_depths else {}),
    }


def vae_config() -> dict:
    return {
        "_class_name": "AutoencoderKL", "_diffusers_version": "0.20.0.dev0", "act_fn": "silu", "block_out_channels": [8, 8, 16, 16],
        "down_block_types": ["DownEncoderBlock2D"] * 4, "force_upcast": True, "in_channels": 3, "latent_channels": 4,
        "layers_per_block": 1, "norm_num_groups": 4, "out_channels": 3, "sample_size": 64, "scaling_factor": 0.13025,
        "up_block_types": ["UpDecoderBlock2D"] * 4,
    }


def text_config(second: bool, vocabulary: int) -> dict:
    """Of version 1's CLIP and of OpenCLIP's bigG, which has a projection."""
    width = WIDTHS[second]
    return {
        "architectures": ["CLIPTextModelWithProjection" if second else "CLIPTextModel"], "attention_dropout": 0.0, "bos_token_id": 0,
        "dropout": 0.0, "eos_token_id": 2, "hidden_act": "gelu" if second else "quick_gelu", "hidden_size": width,
        "initializer_factor": 1.0, "initializer_range": 0.02, "intermediate_size": 4 * width, "layer_norm_eps": 1e-05,
        "max_position_embeddings": 77, "model_type": "clip_text_model", "num_attention_heads": 3 if second else 2,
        "num_hidden_layers": 3 if second else 2, "pad_token_id": 1, "projection_dim": PROJECTION if second else width,
        "torch_dtype": "float16", "transformers_version": "4.32.0.dev0", "vocab_size": vocabulary,
    }


def encode(text, text2, ids):
    """Tokens [b,154] → context and pooled prompt, as StableDiffusionXLPipeline.encode_prompt."""
    first, second = text(ids[:, :77], output_hidden_states=True), text2(ids[:, 77:], output_hidden_states=True)
    return torch.cat([first.hidden_states[-2], second.hidden_states[-2]], -1), second.text_embeds


@torch.no_grad()
def build(s: Shape, vocabulary: int):
    g = torch.Generator().manual_seed(s.seed)
    text = CLIPTextModel(CLIPTextConfig(**text_config(False, vocabulary))).eval()
    text2 = CLIPTextModelWithProjection(CLIPTextConfig(**text_config(True, vocabulary))).eval()
    unet = UNet2DConditionModel.from_config(unet_config(s)).eval()
    vae = AutoencoderKL.from_config(vae_config()).eval()
    for module in (text, text2, unet, vae):
        randomise(module, g)
    context, pooled = encode(text, text2, torch.randint(0, vocabulary, (2, 154), generator=g))
    added = {"text_embeds": pooled, "time_ids": torch.tensor([[64.0, 64, 0, 0, 64, 64]] * 2)}
    out = unet(torch.randn(2, 4, 8, 8, generator=g), 500, context, added_cond_kwargs=added).sample
    unet.conv_out.weight.data /= out.std()
    unet.conv_out.bias.data /= out.std()
    posterior = vae.encode(torch.rand(2, 3, 64, 64, generator=g) * 2 - 1).latent_dist
    mean, logvar = vae.quant_conv.weight.data.chunk(2)
    mean /= posterior.mean.std() * vae.config.scaling_factor
    logvar *= 0.3
    vae.quant_conv.bias.data[4:] = -4
    decoded = vae.decode(torch.randn(2, 4, 8, 8, generator=g) / vae.config.scaling_factor).sample
    vae.decoder.conv_out.weight.data *= 0.5 / decoded.std()
    vae.decoder.conv_out.bias.data *= 0.5 / decoded.std()
    for module in (text, text2, unet, vae):
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.data = tensor.data.to(s.dtype).float() if tensor.is_floating_point() else tensor.data
    return text, text2, unet, vae


def published(name: str) -> str:
    """transformers 5's name of a text encoder's tensor as the published folders have it."""
    return name if name.startswith("text_projection") else f"text_model.{name.removeprefix('text_model.')}"


def write_folder(folder: Path, s: Shape):
    """A diffusers folder; returns text encoders, U-Net and VAE."""
    vocabulary = write_tokenizer(folder / "tokenizer", 60, pad="<|endoftext|>")
    write_tokenizer(folder / "tokenizer_2", 60, pad="!")
    text, text2, unet, vae = modules = build(s, vocabulary)
    write_json(folder / "scheduler" / "scheduler_config.json", {k: v for k, v in EULER.items() if not isinstance(v, float) or math.isfinite(v)})
    parts = {
        "text_encoder": (text_config(False, vocabulary), text, "model"), "text_encoder_2": (text_config(True, vocabulary), text2, "model"),
        "unet": (unet_config(s), unet, "diffusion_pytorch_model"), "vae": (vae_config(), vae, "diffusion_pytorch_model"),
    }
    for part, (config, module, stem) in parts.items():
        write_json(folder / part / "config.json", config)
        state = {published(n) if "text" in part else n: t.to(s.dtype).contiguous() for n, t in module.state_dict().items() if "position_ids" not in n}
        save_file(state, folder / part / f"{stem}.safetensors", {"format": "pt"})
    write_json(folder / "model_index.json", {
        "_class_name": "StableDiffusionXLPipeline", "_diffusers_version": "0.19.0.dev0", "force_zeros_for_empty_prompt": True,
        "scheduler": ["diffusers", "EulerDiscreteScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
        "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "tokenizer_2": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    })
    return modules
