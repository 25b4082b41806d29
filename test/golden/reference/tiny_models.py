"""Small random-weight pipelines in the shapes of the Stable Diffusion families, written as published folders are.

The configs carry the keys that the published repositories carry, not diffusers' full defaults: a reader has to
supply the missing ones. Weights are random with unit gain; the U-Net's output has standard deviation 1, the VAE's
pictures 0.5 and its scaled latents 1, so that no comparison passes on constant output.
"""

import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

from tiny_tokenizer import write_tokenizer

torch.set_num_threads(1)

BETAS = {"beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000}
PNDM = {
    "_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", **BETAS, "set_alpha_to_one": False,
    "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None, "clip_sample": False,
}
PNDM_SD2 = {**PNDM, "_diffusers_version": "0.10.0.dev0", "prediction_type": "epsilon"}
DDIM_V = {
    "_class_name": "DDIMScheduler", "_diffusers_version": "0.8.0", **BETAS, "clip_sample": False,
    "prediction_type": "v_prediction", "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1,
    "trained_betas": None,
}
DDIM_ZERO_SNR = {
    **DDIM_V, "_diffusers_version": "0.18.0", "timestep_spacing": "trailing", "rescale_betas_zero_snr": True,
    "steps_offset": 0,
}
DPM = {
    "_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": "0.19.0.dev0", "algorithm_type": "dpmsolver++",
    **BETAS, "clip_sample": False, "dynamic_thresholding_ratio": 0.995, "lambda_min_clipped": -math.inf,
    "lower_order_final": True, "prediction_type": "epsilon", "sample_max_value": 1.0, "set_alpha_to_one": False,
    "skip_prk_steps": True, "solver_order": 2, "solver_type": "midpoint", "steps_offset": 1, "thresholding": False,
    "timestep_spacing": "leading", "trained_betas": None, "use_karras_sigmas": False, "variance_type": None,
}
SPARSE_DDIM = {"_class_name": "DDIMScheduler", "_diffusers_version": "0.3.0", **BETAS}
EULER = {
    "_class_name": "EulerDiscreteScheduler", "_diffusers_version": "0.20.0", **BETAS, "interpolation_type": "linear",
    "prediction_type": "epsilon", "steps_offset": 1, "timestep_spacing": "leading", "trained_betas": None,
    "use_karras_sigmas": False,
}


@dataclass(frozen=True)
class Family:
    """What tells one family shape from another; sizes are for the tests, the branches are the published ones."""

    seed: int
    channels: tuple = (32, 64, 96, 96)
    groups: int = 16  # two channels a group or more: with one, biases before a norm have no gradient
    layers_per_block: int = 2
    mid_block: bool = True
    plain_deepest: bool = True  # the innermost stage has no cross-attention (SD 1, 2; not BK-SDM-Tiny)
    linear_projection: bool = False
    heads: object = 8  # `attention_head_dim`, which these configs use for the number of heads
    text_hidden: int = 48
    text_layers: int = 2
    text_heads: int = 4
    text_act: str = "quick_gelu"
    sd2_text: bool = False  # pads with "!" and has a projection size that nothing uses
    old_names: bool = False  # SD 1.x: `position_ids` stored, VAE attention called query/key/value/proj_attn
    scheduler: dict = field(default_factory=lambda: PNDM)
    dtype: torch.dtype = torch.float32
    vae_channels: tuple = (32, 32, 64, 64)
    sample_size: int = 8
    merges: int = 300


SD1 = Family(seed=1, old_names=True)
SD2_TEXT = dict(text_hidden=64, text_heads=4, text_layers=3, text_act="gelu", sd2_text=True)
FAMILIES = {
    "sd1": SD1,
    "sd2-v": Family(seed=2, linear_projection=True, heads=[2, 4, 6, 6], scheduler=DDIM_V, **SD2_TEXT),
    "sd2-base": Family(
        seed=3, linear_projection=True, heads=[2, 4, 6, 6], scheduler=PNDM_SD2, dtype=torch.float16, **SD2_TEXT
    ),
    "sd2-zero-snr": Family(seed=4, linear_projection=True, heads=[2, 4, 6, 6], scheduler=DDIM_ZERO_SNR, **SD2_TEXT),
    "bk-base": Family(seed=5, layers_per_block=1, dtype=torch.float16),
    "bk-small": Family(seed=6, layers_per_block=1, mid_block=False),
    "bk-tiny": Family(seed=7, layers_per_block=1, mid_block=False, plain_deepest=False, channels=(32, 64, 96)),
    "segmind-tiny": Family(
        seed=8, layers_per_block=1, mid_block=False, plain_deepest=False, channels=(32, 64, 96), scheduler=DPM,
        dtype=torch.float16,
    ),
    # a scheduler config that leaves nearly all to defaults, and one of another class than the published folders have
    "bk-tiny-sparse": Family(
        seed=7, layers_per_block=1, mid_block=False, plain_deepest=False, channels=(32, 64, 96), scheduler=SPARSE_DDIM
    ),
    "bk-small-euler": Family(seed=6, layers_per_block=1, mid_block=False, scheduler=EULER),
}

SMALLEST = dict(channels=(8, 16, 16, 16), groups=4, text_hidden=16, text_heads=2, text_layers=2, merges=60,
                vae_channels=(8, 8, 16, 16))
FIXTURES = {
    "tiny-sd1": replace(SD1, seed=11, heads=4, **SMALLEST),
    "tiny-sd2": replace(
        FAMILIES["sd2-v"], seed=12, dtype=torch.float16, **{**SMALLEST, "text_hidden": 24, "heads": [1, 2, 4, 4]}
    ),
    "tiny-bk": replace(FAMILIES["bk-tiny"], seed=13, heads=4, **{**SMALLEST, "channels": (8, 16, 16)}),
}


def unet_config(f: Family) -> dict:
    """Version 0.9 or later: for older ones diffusers' pipeline raises a sample_size below 64 to 64."""
    depth = len(f.channels)
    cross = [True] * (depth - 1) + [not f.plain_deepest]
    down = ["CrossAttnDownBlock2D" if c else "DownBlock2D" for c in cross]
    up = ["CrossAttnUpBlock2D" if c else "UpBlock2D" for c in reversed(cross)]
    config = {
        "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.10.0", "act_fn": "silu",
        "attention_head_dim": f.heads, "block_out_channels": list(f.channels), "center_input_sample": False,
        "cross_attention_dim": f.text_hidden, "down_block_types": down, "downsample_padding": 1,
        "flip_sin_to_cos": True, "freq_shift": 0, "in_channels": 4, "layers_per_block": f.layers_per_block,
        "mid_block_scale_factor": 1, "norm_eps": 1e-05, "norm_num_groups": f.groups, "out_channels": 4,
        "sample_size": f.sample_size, "up_block_types": up,
    }
    if f.linear_projection:
        config |= {"dual_cross_attention": False, "num_class_embeds": None, "only_cross_attention": False,
                   "upcast_attention": True, "use_linear_projection": True}
    if f.layers_per_block == 1:
        config |= {"_diffusers_version": "0.15.0", "mid_block_type": None if not f.mid_block
                   else "UNetMidBlock2DCrossAttn", "resnet_time_scale_shift": "default", "time_embedding_type": "positional",
                   "class_embed_type": None, "conv_in_kernel": 3, "conv_out_kernel": 3}
    return config


def vae_config(f: Family) -> dict:
    n = len(f.vae_channels)
    config = {
        "_class_name": "AutoencoderKL", "_diffusers_version": "0.6.0", "act_fn": "silu",
        "block_out_channels": list(f.vae_channels), "down_block_types": ["DownEncoderBlock2D"] * n, "in_channels": 3,
        "latent_channels": 4, "layers_per_block": 1 if f.groups < 16 else 2, "norm_num_groups": f.groups, "out_channels": 3,
        "sample_size": f.sample_size * 8, "up_block_types": ["UpDecoderBlock2D"] * n,
    }
    return config if f.old_names else {**config, "scaling_factor": 0.18215}


def text_config(f: Family, vocabulary: int) -> dict:
    return {
        "architectures": ["CLIPTextModel"], "attention_dropout": 0.0, "bos_token_id": 0, "dropout": 0.0,
        "eos_token_id": 2, "hidden_act": f.text_act, "hidden_size": f.text_hidden, "initializer_factor": 1.0,
        "initializer_range": 0.02, "intermediate_size": 4 * f.text_hidden, "layer_norm_eps": 1e-05,
        "max_position_embeddings": 77, "model_type": "clip_text_model", "num_attention_heads": f.text_heads,
        "num_hidden_layers": f.text_layers, "pad_token_id": 1, "projection_dim": 512 if f.sd2_text else f.text_hidden,
        "torch_dtype": "float32", "transformers_version": "4.25.0", "vocab_size": vocabulary,
    }


def randomise(module: torch.nn.Module, generator: torch.Generator) -> None:
    """Unit gain for matrices and kernels, norms near one, small biases: signals keep their size through any depth."""
    for name, p in module.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        if "embedding.weight" in name:
            p.data = 0.5 * noise
        elif p.ndim >= 2:
            p.data = noise / math.sqrt(p[0].numel())
        else:
            p.data = 0.1 * noise + (1.0 if name.endswith("weight") else 0.0)


@torch.no_grad()
def build(f: Family, vocabulary: int):
    """(text encoder, U-Net, VAE) in float32, with values that the family's dtype represents exactly."""
    g = torch.Generator().manual_seed(f.seed)
    text = CLIPTextModel(CLIPTextConfig(**text_config(f, vocabulary))).eval()
    unet = UNet2DConditionModel.from_config(unet_config(f)).eval()
    vae = AutoencoderKL.from_config(vae_config(f)).eval()
    for module in (text, unet, vae):
        randomise(module, g)

    size = f.sample_size
    context = text(torch.randint(0, vocabulary, (2, 77), generator=g)).last_hidden_state
    out = unet(torch.randn(2, 4, size, size, generator=g), 500, context).sample
    unet.conv_out.weight.data /= out.std()
    unet.conv_out.bias.data /= out.std()

    picture = torch.rand(2, 3, size * 8, size * 8, generator=g) * 2 - 1
    posterior = vae.encode(picture).latent_dist
    mean, logvar = vae.quant_conv.weight.data.chunk(2)
    mean /= posterior.mean.std() * vae.config.scaling_factor
    logvar *= 0.3
    vae.quant_conv.bias.data[4:] = -4
    decoded = vae.decode(torch.randn(2, 4, size, size, generator=g) / vae.config.scaling_factor).sample
    vae.decoder.conv_out.weight.data *= 0.5 / decoded.std()
    vae.decoder.conv_out.bias.data *= 0.5 / decoded.std()

    for module in (text, unet, vae):
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.data = tensor.data.to(f.dtype).float() if tensor.is_floating_point() else tensor.data
    return text, unet, vae


OLD_VAE_ATTENTION = {"to_q.": "query.", "to_k.": "key.", "to_v.": "value.", "to_out.0.": "proj_attn."}


def published_names(f: Family, part: str, state: dict, transformers: int = 4) -> dict:
    """Names and dtype as the published folders have them."""
    state = {name: tensor.to(f.dtype).contiguous() for name, tensor in state.items() if name != "position_ids"}
    if part == "text_encoder" and transformers == 4:
        state = {f"text_model.{name.removeprefix('text_model.')}": tensor for name, tensor in state.items()}
        if f.old_names:
            state["text_model.embeddings.position_ids"] = torch.arange(77).unsqueeze(0)
    if part == "vae" and f.old_names:
        for new, old in OLD_VAE_ATTENTION.items():
            state = {n.replace(new, old) if "attentions" in n else n: t for n, t in state.items()}
    return state


def write_json(path: Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def write_folder(folder: Path, f: Family, transformers: int = 4):
    """A diffusers folder; returns the modules it holds (text encoder, U-Net, VAE)."""
    vocabulary = write_tokenizer(folder / "tokenizer", f.merges, pad="!" if f.sd2_text else "<|endoftext|>")
    text, unet, vae = build(f, vocabulary)
    scheduler = {k: v for k, v in f.scheduler.items() if not isinstance(v, float) or math.isfinite(v)}
    write_json(folder / "scheduler" / "scheduler_config.json", scheduler)
    parts = {
        "text_encoder": (text_config(f, vocabulary), text, "model.safetensors"),
        "unet": (unet_config(f), unet, "diffusion_pytorch_model.safetensors"),
        "vae": (vae_config(f), vae, "diffusion_pytorch_model.safetensors"),
    }
    for part, (config, module, file) in parts.items():
        write_json(folder / part / "config.json", config)
        save_file(published_names(f, part, module.state_dict(), transformers), folder / part / file, {"format": "pt"})
    write_json(folder / "model_index.json", {
        "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.6.0",
        "feature_extractor": [None, None], "safety_checker": [None, None], "requires_safety_checker": False,
        "scheduler": ["diffusers", f.scheduler["_class_name"]], "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    })
    return text, unet, vae
