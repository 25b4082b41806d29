"""Reading LoRA files without PEFT or diffusers: merges them into torch modules and says which keys found no module."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file


@torch.no_grad()
def add(module, a, b, scale: float) -> None:
    if a.ndim == 4:  # convolutions: A has the kernel, B is 1×1
        delta = torch.einsum("orhw,rikl->oikl", b, a)
    else:
        delta = b @ a
    module.weight += scale * delta.reshape(module.weight.shape)


def merge_kohya(file: Path, unet, text, weight: float = 1.0) -> list[str]:
    """As kohya's networks/lora.py: lora_unet_* and lora_te_* with dots as underscores. Returns unmatched keys."""
    state = load_file(file)
    modules = {f"lora_unet_{n}".replace(".", "_"): m for n, m in unet.named_modules()}
    modules |= {f"lora_te_text_model_{n.removeprefix('text_model.')}".replace(".", "_"): m for n, m in text.named_modules()}
    used = set()
    for stem in {k.split(".")[0] for k in state}:
        if stem not in modules:
            continue
        keys = [f"{stem}.lora_down.weight", f"{stem}.lora_up.weight", f"{stem}.alpha"]
        if not all(k in state for k in keys):
            continue
        a, b, alpha = (state[k].float() for k in keys)
        add(modules[stem], a, b, weight * alpha.item() / a.shape[0])
        used.update(keys)
    return sorted(state.keys() - used)


def merge_peft(folder: Path, unet, text, weight: float = 1.0) -> list[str]:
    """A folder with unet/ and perhaps text_encoder/. Returns unmatched keys."""
    unmatched = []
    for part, module in (("unet", unet), ("text_encoder", text)):
        if not (folder / part).exists():
            continue
        config = json.loads((folder / part / "adapter_config.json").read_text())
        state = load_file(folder / part / "adapter_model.safetensors")
        modules = dict(module.named_modules())
        for key in [k for k in state if ".lora_A." in k]:
            name = key.removeprefix("base_model.model.").removesuffix(".lora_A.weight").removeprefix("text_model.")
            a, b = state.pop(key).float(), state.pop(key.replace(".lora_A.", ".lora_B.")).float()
            if name in modules:
                add(modules[name], a, b, weight * config["lora_alpha"] / config["r"])
            else:
                unmatched.append(key)
        unmatched += state
    return unmatched
