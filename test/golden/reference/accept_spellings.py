"""One LoRA in the names of every tool, on each family's shape: `generate --lora` must draw what the matrices added by hand draw, or refuse it by name.

python accept_spellings.py MODELS WORK [model or tool…]
"""

import json
import shutil

import torch
from safetensors.torch import load_file, save_file

from accept import Score, arguments, likeness, pipeline, relative_error
from ldm_names import single_file

PROMPT, STEPS, RANK, ALPHA, LIMIT = "a photo of sks dog", 3, 4, 2.0, 1e-3
START = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(9))
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj")
FURTHER = ("proj_in", "proj_out", "ff.net.0.proj", "ff.net.2", "conv1", "conv2", "conv_shortcut", "time_emb_proj", "downsamplers.0.conv",
           "upsamplers.0.conv", "mlp.fc1", "mlp.fc2")


def latents(pipe):
    return pipe(PROMPT, latents=START.clone(), num_inference_steps=STEPS, height=64, width=64, guidance_scale=5, output_type="latent").images


def matrices(pipe, targets):
    """{(part, module): (A, B)}, text modules under transformers 4's names."""
    g = torch.Generator().manual_seed(6)
    found = {}
    for part in ("unet", "text_encoder"):
        for name, module in getattr(pipe, part).named_modules():
            if not name.endswith(targets) or getattr(module, "weight", None) is None:
                continue
            out, inner = module.weight.shape[:2]
            kernel = module.weight.shape[2:]
            size = 0.7 / (inner * max(1, kernel.numel())) ** 0.5
            a = size * torch.randn(RANK, inner, *kernel, generator=g)
            b = torch.randn(out, RANK, *[1] * len(kernel), generator=g) * 0.5
            found[part, name if part == "unet" else f"text_model.{name.removeprefix('text_model.')}"] = (a, b)
    return found


@torch.no_grad()
def merge(pipe, lora):
    for (part, name), (a, b) in lora.items():
        inner = name if part == "unet" else name.removeprefix("text_model.")
        module = dict(getattr(pipe, part).named_modules())[inner]
        module.weight += ALPHA / RANK * (b.flatten(1) @ a.flatten(1)).reshape(module.weight.shape)


def ldm_modules(pipe):
    """diffusers' name of a U-Net's module → single files', found by values."""
    theirs = {n.removeprefix("model.diffusion_model."): t for n, t in single_file(pipe.text_encoder, pipe.unet, pipe.vae).items()
              if n.startswith("model.diffusion_model.")}
    by_value = {(tuple(t.shape), t.flatten()[:4].tolist().__repr__()): n.removesuffix(".weight") for n, t in theirs.items()}
    return {n.removesuffix(".weight"): by_value[tuple(t.shape), t.flatten()[:4].tolist().__repr__()] for n, t in pipe.unet.state_dict().items() if n.endswith(".weight")}


def pairs(lora, stem, down, up, alpha=".alpha", only=None):
    out = {}
    for (part, name), (a, b) in lora.items():
        s = stem(part, name)
        out[s + down], out[s + up] = a.clone(), b.clone()
        if alpha:
            out[s + alpha] = torch.tensor(ALPHA)
    return out


def scaled(lora):
    return {k: (a, b * ALPHA / RANK) for k, (a, b) in lora.items()}


def kernels(state):
    """Linear layers' matrices as some tools keep those of 1×1 convolutions."""
    return {k: t[..., None, None] if t.ndim == 2 else t for k, t in state.items()}


def ones(state):
    return {k: t.reshape(1) if t.ndim == 0 else t for k, t in state.items()}


def old(part, name):
    """diffusers 0.16 to 0.20: attention processors, and the same names for CLIP."""
    if part == "unet":
        head, tail = name.rsplit(".to_", 1)
        return f"unet.{head}.processor.to_{tail.removesuffix('.0')}_lora"
    head, tail = name.rsplit(".", 1)
    return f"text_encoder.{head}.to_{tail.removesuffix('_proj')}_lora"


def write_peft(folder, lora, transformers):
    for part in ("unet", "text_encoder"):
        own = {n if part == "unet" or transformers == 4 else n.removeprefix("text_model."): m for (p, n), m in lora.items() if p == part}
        (folder / part).mkdir(parents=True)
        state = {f"base_model.model.{n}.lora_{k}.weight": t.clone() for n, m in own.items() for k, t in zip("AB", m)}
        save_file(state, folder / part / "adapter_model.safetensors")
        (folder / part / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": RANK, "lora_alpha": ALPHA, "target_modules": sorted(own)}))


def spellings(lora, ldm, attention):
    """tool → what it writes; `None` for a folder of PEFT's."""
    unet_attention = {k: m for k, m in attention.items() if k[0] == "unet"}
    flat = lambda n: n.replace(".", "_")  # noqa: E731
    prefix = {"unet": "lora_unet", "text_encoder": "lora_te"}
    return {
        "kohya, OneTrainer": pairs(lora, lambda p, n: f"{prefix[p]}_{flat(n)}", ".lora_down.weight", ".lora_up.weight"),
        "kohya, te1": pairs(lora, lambda p, n: f"{prefix[p].replace('te', 'te1')}_{flat(n)}", ".lora_down.weight", ".lora_up.weight"),
        "LyCORIS, single files' names": pairs(lora, lambda p, n: f"{prefix[p]}_{flat(ldm[n] if p == 'unet' else n)}", ".lora_down.weight", ".lora_up.weight"),
        "kohya, LyCORIS' and Fooocus' .pt": pairs(lora, lambda p, n: f"{prefix[p]}_{flat(n)}", ".lora_down.weight", ".lora_up.weight"),
        "kohya, in an older .ckpt": {"state_dict": pairs(lora, lambda p, n: f"{prefix[p]}_{flat(n)}", ".lora_down.weight", ".lora_up.weight")},
        "kohya, 1x1 kernels for linear layers": kernels(pairs(lora, lambda p, n: f"{prefix[p]}_{flat(n)}", ".lora_down.weight", ".lora_up.weight")),
        "kohya, alphas of one element": ones(pairs(lora, lambda p, n: f"{prefix[p]}_{flat(n)}", ".lora_down.weight", ".lora_up.weight")),
        "ComfyUI with PEFT's endings": pairs(lora, lambda p, n: f"diffusion_model.{ldm[n]}" if p == "unet" else f"text_encoders.clip_l.transformer.{n}", ".lora_A.weight", ".lora_B.weight"),
        "single files' whole names": pairs(lora, lambda p, n: f"model.diffusion_model.{ldm[n]}" if p == "unet" else f"cond_stage_model.transformer.{n}", ".lora_down.weight", ".lora_up.weight"),
        "ComfyUI": pairs(lora, lambda p, n: f"diffusion_model.{ldm[n]}" if p == "unet" else f"text_encoders.clip_l.transformer.{n}", ".lora_down.weight", ".lora_up.weight"),
        "OneTrainer, OMI": pairs(lora, lambda p, n: f"unet.{ldm[n]}" if p == "unet" else f"clip_l.{n}", ".lora_down.weight", ".lora_up.weight"),
        "diffusers, today": pairs(scaled(lora), lambda p, n: f"{p}.{n}", ".lora_A.weight", ".lora_B.weight", None),
        "diffusers 0.21": pairs(scaled(lora), lambda p, n: f"unet.{n}.lora" if p == "unet" else f"{p}.{n}.lora_linear_layer", ".down.weight", ".up.weight", None),
        "diffusers with transformers 5": pairs(scaled(lora), lambda p, n: f"{p}.{n.removeprefix('text_model.')}", ".lora_A.weight", ".lora_B.weight", None),
        "kohya with transformers 5": pairs(lora, lambda p, n: f"{prefix[p]}_{flat(n.removeprefix('text_model.'))}", ".lora_down.weight", ".lora_up.weight"),
        "diffusers 0.21, with alphas": pairs(lora, lambda p, n: f"unet.{n}.lora" if p == "unet" else f"{p}.{n}.lora_linear_layer", ".down.weight", ".up.weight"),
        "diffusers 0.15, U-Net": pairs(scaled(unet_attention), lambda p, n: old(p, n).removeprefix("unet."), ".down.weight", ".up.weight", None),
        "PEFT's names without the model's": pairs(scaled(lora), lambda p, n: n, ".lora_A.weight", ".lora_B.weight", None),
        "PEFT's own state": pairs(scaled(lora), lambda p, n: f"base_model.model.{n}", ".lora_A.sks.weight", ".lora_B.sks.weight", None),
        "diffusers 0.16": pairs(scaled(attention), old, ".down.weight", ".up.weight", None),
        "PEFT's names, kohya's endings": pairs(lora, lambda p, n: f"base_model.model.{n}", ".lora_down.weight", ".lora_up.weight"),
        "LyCORIS' wrapper, SimpleTuner": pairs({k: m for k, m in lora.items() if k[0] == "unet"}, lambda p, n: f"lycoris_{flat(n)}", ".lora_down.weight", ".lora_up.weight"),
        "cloneofsimo": {f"{p}:{i}:{k}": t.clone() for i, ((p, _), m) in enumerate(lora.items()) for k, t in zip(("down", "up"), m)},
        "PEFT, transformers 5": None,
        "PEFT, transformers 4": None,
    }


def main() -> None:
    models, work, filters = arguments()
    score = Score()
    names = [f for f in filters if (models / f).exists()] or ["sd1", "sd2-v", "bk-base", "bk-tiny"]
    wanted = [f for f in filters if f not in names]
    for name in names:
        shutil.rmtree(work / name, ignore_errors=True)
        (work / name).mkdir(parents=True)
        save_file({"latents": START}, work / "start.safetensors")
        pipe = pipeline(models / name)
        whole, attention = matrices(pipe, ATTENTION + FURTHER), matrices(pipe, ATTENTION)
        sets = {"whole": whole, "attention": attention, "unet attention": {k: m for k, m in attention.items() if k[0] == "unet"}, "unet": {k: m for k, m in whole.items() if k[0] == "unet"}}
        reference = {}
        for kind, lora in sets.items():
            fresh = pipeline(models / name)
            merge(fresh, lora)
            reference[kind] = latents(fresh)
        plain = latents(pipe)
        for tool, state in spellings(whole, ldm_modules(pipe), attention).items():
            if wanted and not any(w in tool for w in wanted):
                continue
            place = work / name / tool.replace(" ", "-").replace("'", "").replace(",", "")
            if state is None:
                write_peft(place, whole, int(tool[-1]))
            elif tool.endswith((".pt", ".ckpt")):
                torch.save(state, place)
            else:
                place = place.parent / f"{place.name}.safetensors"
                save_file({k: t.contiguous() for k, t in state.items()}, place)
            outcome = likeness("generate", "--model", models / name, "--lora", place, "--prompt", PROMPT, "--steps", STEPS, "--guidance", 5, "--size", "64x64",
                               "--latents", work / "start.safetensors", "--save-latents", work / "end.safetensors", "--out", work / "pictures")
            if outcome.status == 1 and tool == "cloneofsimo":
                score.verdict(f"{name} {tool}: refused: {outcome.stderr.strip()[-200:]}", True)
            elif score.ran(f"{name} {tool}", outcome):
                kind = {"diffusers 0.16": "attention", "diffusers 0.15, U-Net": "unet attention", "LyCORIS' wrapper, SimpleTuner": "unet"}.get(tool, "whole")
                score.limit(f"{name} {tool} (moves {relative_error(reference[kind], plain):.2f})", relative_error(load_file(work / "end.safetensors")["latents"], reference[kind]), LIMIT)
    score.finish()


if __name__ == "__main__":
    main()
