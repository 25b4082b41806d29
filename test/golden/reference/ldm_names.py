"""Single-file (Stable Diffusion 1, 2 and XL) names for the tensors of a diffusers folder."""

import re

import torch

RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
          "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}
UNET_ENDS = {"time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
             "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2", "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2"}
VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def unet_name(name: str, layers: int, deepest_up_attention: bool) -> str:
    for ours, theirs in UNET_ENDS.items():
        if name.startswith(ours + "."):
            return "model.diffusion_model." + name.replace(ours, theirs, 1)
    side, kind, rest = None, None, None
    if m := re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name):
        place = "middle_block." + ("1" if m[1] == "attentions" else str(2 * int(m[2])))
        kind, rest = m[1], m[3]
    else:
        side, block, kind, index, rest = re.match(r"(down|up)_blocks\.(\d)\.(\w+)\.(\d)\.(.*)", name).groups()
        block, index = int(block), int(index)
        if kind == "downsamplers":
            return f"model.diffusion_model.input_blocks.{(layers + 1) * (block + 1)}.0." + rest.replace("conv", "op")
        if kind == "upsamplers":
            slot = 2 if block > 0 or deepest_up_attention else 1
            return f"model.diffusion_model.output_blocks.{(layers + 1) * block + layers}.{slot}.{rest}"
        number = (layers + 1) * block + index
        slot = 1 if kind == "attentions" else 0
        place = f"input_blocks.{number + 1}.{slot}" if side == "down" else f"output_blocks.{number}.{slot}"
    if kind == "resnets":
        part, leaf = rest.rsplit(".", 1)
        rest = f"{RESNET[part]}.{leaf}"
    return f"model.diffusion_model.{place}.{rest}"


def vae_name(name: str, depth: int) -> str:
    name = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets", lambda m: f"up.{depth - 1 - int(m[1])}.block", name)
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{depth - 1 - int(m[1])}.upsample", name)
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    if "mid_block.attentions.0" in name:
        name = name.replace("mid_block.attentions.0", "mid.attn_1")
        for ours, theirs in VAE_ATTENTION.items():
            name = name.replace(f".{ours}.", f".{theirs}.")
    name = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    return "first_stage_model." + name


OPEN_CLIP = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "self_attn.out_proj": "attn.out_proj", "mlp.fc1": "mlp.c_fc",
             "mlp.fc2": "mlp.c_proj"}


def open_clip(text: dict, layers: int, p="cond_stage_model.model.", projection=None) -> dict:
    """A text encoder as OpenCLIP has it: fused q, k, v; the projection is multiplied from the left."""
    width = text["final_layer_norm.bias"].numel()
    out = {
        p + "positional_embedding": text["embeddings.position_embedding.weight"],
        p + "token_embedding.weight": text["embeddings.token_embedding.weight"],
        p + "ln_final.weight": text["final_layer_norm.weight"], p + "ln_final.bias": text["final_layer_norm.bias"],
        p + "logit_scale": torch.tensor(4.6), p + "text_projection": torch.eye(width) if projection is None else projection.T,
    }
    for i in range(layers):
        ours, theirs = f"encoder.layers.{i}.", f"{p}transformer.resblocks.{i}."
        for leaf in ("weight", "bias"):
            out[f"{theirs}attn.in_proj_{leaf}"] = torch.cat(
                [text[f"{ours}self_attn.{x}_proj.{leaf}"] for x in "qkv"]
            )
            out |= {f"{theirs}{new}.{leaf}": text[f"{ours}{old}.{leaf}"] for old, new in OPEN_CLIP.items()}
    return out


def networks(unet, vae) -> dict:
    """U-Net and VAE under their names in a single file."""
    config = unet.config
    deepest = config.up_block_types[0].startswith("Cross")
    state = {unet_name(n, config.layers_per_block, deepest): t for n, t in unet.state_dict().items()}
    for n, t in vae.state_dict().items():
        kernel = "attentions" in n and t.ndim == 2
        state[vae_name(n, len(vae.config.block_out_channels))] = t[:, :, None, None] if kernel else t
    return state


def bare(module) -> dict:
    """A text encoder's tensors under transformers 5's names."""
    return {n.removeprefix("text_model."): t for n, t in module.state_dict().items() if "position_ids" not in n}


def xl_single_file(text, text2, unet, vae) -> dict:
    """The same of SDXL's family, as Stability published it."""
    first, second = bare(text), bare(text2)
    state = networks(unet, vae)
    state |= {f"conditioner.embedders.0.transformer.text_model.{n}": t for n, t in first.items()}
    state["conditioner.embedders.0.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    state |= open_clip(second, text2.config.num_hidden_layers, "conditioner.embedders.1.model.", second["text_projection.weight"])
    return {name: tensor.contiguous() for name, tensor in state.items()}


def single_file(text, unet, vae) -> dict:
    """All tensors of a pipeline under the names of the original release, f32, with the extras such files carry."""
    config, state = unet.config, networks(unet, vae)
    words = {n: t for n, t in text.state_dict().items() if "position_ids" not in n}
    if config.use_linear_projection:
        state |= open_clip(words, text.config.num_hidden_layers)
    else:
        state |= {f"cond_stage_model.transformer.text_model.{n}": t for n, t in words.items()}
        state["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    state |= {"betas": betas, "alphas_cumprod": torch.cumprod(1 - betas, 0), "model_ema.num_updates": torch.tensor(7)}
    return {name: tensor.contiguous() for name, tensor in state.items()}
