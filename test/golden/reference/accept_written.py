"""LoRA files that LyCORIS, kohya's sd-scripts, PEFT and diffusers write themselves, filled with random numbers: `generate --lora` must draw
what each tool's own network draws, or refuse the file by name.

LYCORIS=DIR KOHYA=DIR python accept_written.py MODELS WORK [model or kind…]. LYCORIS is where `pip install --target DIR --no-deps lycoris-lora`
put it, KOHYA a checkout of sd-scripts; what is not given is left out.
"""

import logging
import os
import re
import shutil
import sys

import torch
from diffusers import StableDiffusionPipeline
from peft import LoHaConfig, LoKrConfig, LoraConfig, PeftModel, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from accept import Score, arguments, likeness, pipeline, relative_error
from accept_spellings import ALPHA, ATTENTION, FURTHER, LIMIT, PROMPT, RANK, START, STEPS, latents

LYCORIS = {
    "lora": {},
    "lora of rank 8 in convolutions": {"conv_dim": 8, "conv_alpha": 3},
    "lora, bf16": {"dtype": torch.bfloat16},
    "lora with cores": {"use_tucker": True},
    "lora, scaled by the root of its rank": {"rs_lora": True},
    "lora with scalars": {"use_scalar": True},
    "lora and norms": {"train_norm": True},
    "dora by output": {"dora_wd": True, "wd_on_output": True},
    "dora by input": {"dora_wd": True, "wd_on_output": False},
    "loha": {"algo": "loha"},
    "loha with cores": {"algo": "loha", "use_tucker": True},
    "loha as dora": {"algo": "loha", "dora_wd": True},
    "lokr": {"algo": "lokr", "factor": 4},
    "lokr of two pairs": {"algo": "lokr", "factor": 4, "decompose_both": True},
    "lokr of two whole matrices": {"algo": "lokr", "full_matrix": True},
    "lokr with cores": {"algo": "lokr", "factor": 2, "use_tucker": True},
    "lokr, unbalanced": {"algo": "lokr", "factor": 4, "unbalanced_factorization": True},
    "lokr as dora": {"algo": "lokr", "factor": 4, "dora_wd": True},
    "full": {"algo": "full"},
    "glora": {"algo": "glora"},
    "ia3": {"algo": "ia3"},
    "diag-oft": {"algo": "diag-oft"},
    "boft": {"algo": "boft"},
    "tlora": {"algo": "tlora"},
}
REFUSED = {"glora", "ia3", "diag-oft", "boft", "tlora", "AdaLoRA", "OFT", "VeRA", "HRA", "PiSSA"}


@torch.no_grad()
def fill(modules) -> None:
    """Random numbers large enough to be seen, small enough that the picture stays one."""
    g = torch.Generator().manual_seed(6)
    for name, p in modules:
        if re.search(r"alpha$|base_layer|_org|rescale", name) or not p.is_floating_point():
            continue
        if re.search(r"magnitude|dora_scale", name):
            p *= 1 + 0.1 * torch.randn(p.shape, generator=g)
        elif p.ndim == 0:
            p.fill_(0.7)
        else:
            p += torch.randn(p.shape, generator=g) * 0.5 / max(1, p[0].numel()) ** 0.5


def lycoris(kind):
    def write(pipe, file):
        sys.path.insert(0, os.environ["LYCORIS"])
        from lycoris.config import PRESET
        from lycoris.kohya import create_network

        # Its two linear layers are also named one by one.
        for modules in PRESET["full"].values():
            if isinstance(modules, list) and "TimestepEmbedding" in modules:
                modules.remove("TimestepEmbedding")

        options = dict(LYCORIS[kind])
        dtype = options.pop("dtype", torch.float32)
        network = create_network(1.0, RANK, ALPHA, pipe.vae, pipe.text_encoder, pipe.unet, **options)
        network.apply_to(pipe.text_encoder, pipe.unet, True, True)
        fill([(n, p) for n, p in network.named_parameters()])
        if dtype != torch.float32:
            network.to(dtype).to(torch.float32)
        network.save_weights(str(file), dtype, {"ss_network_module": "lycoris.kohya"})
        network.eval()
        return latents(pipe)

    return write


def kohya(**options):
    def write(pipe, file):
        sys.path.insert(0, os.environ["KOHYA"])
        from networks.lora import create_network

        network = create_network(1.0, RANK, ALPHA, pipe.vae, pipe.text_encoder, pipe.unet, **options)
        network.apply_to(pipe.text_encoder, pipe.unet, True, True)
        fill(network.named_parameters())
        network.save_weights(str(file), torch.float32, {})
        return latents(pipe)

    return write


def targets(module, names):
    """Whole names, as long as the module has them."""
    return [n for n, m in module.named_modules() if n.endswith(names) and getattr(m, "weight", None) is not None]


def configured(config, names, **options):
    return lambda module: get_peft_model(module, config(target_modules=targets(module, names), **options))


def peft(config, names=ATTENTION + FURTHER, **options):
    """A folder with one adapter a network, as save_pretrained writes it."""

    def write(pipe, place):
        place = place.with_suffix("")
        for part in ("unet", "text_encoder"):
            model = configured(config, names, **options)(getattr(pipe, part))
            fill([(n, p) for n, p in model.named_parameters() if p.requires_grad])
            model.save_pretrained(place / part)
            setattr(pipe, part, model.merge_and_unload())
        return latents(pipe), place

    return write


def raw_state(pipe, file):
    """A model's own state, in which the adapter has a name."""
    state = {}
    for part in ("unet", "text_encoder"):
        module = getattr(pipe, part)
        model = get_peft_model(module, LoraConfig(r=RANK, lora_alpha=RANK, target_modules=targets(module, ATTENTION)), adapter_name="my-dog")
        fill([(n, p) for n, p in model.named_parameters() if p.requires_grad])
        state |= {n: t for n, t in model.state_dict().items() if "lora_" in n}
        setattr(pipe, part, model.merge_and_unload())
    save_file({n: t.contiguous() for n, t in state.items()}, file)
    return latents(pipe)


def diffusers(metadata, **options):
    def write(pipe, file):
        layers, about = {}, {}
        for part in ("unet", "text_encoder"):
            module = getattr(pipe, part)
            module.add_adapter(LoraConfig(r=RANK, target_modules=targets(module, ATTENTION + FURTHER), **options))
            fill([(n, p) for n, p in module.named_parameters() if "lora_" in n])
            layers[part] = get_peft_model_state_dict(module, adapter_name="default")
            about[f"{part}_lora_adapter_metadata"] = module.peft_config["default"].to_dict()
        names = {"unet": "unet_lora_layers", "text_encoder": "text_encoder_lora_layers"}
        StableDiffusionPipeline.save_lora_weights(str(file.parent), **{names[p]: s for p, s in layers.items()}, **(about if metadata else {}), weight_name=file.name)
        return latents(pipe)

    return write


def kinds() -> dict:
    found = {f"LyCORIS {k}": lycoris(k) for k in LYCORIS} if os.environ.get("LYCORIS") else {}
    if os.environ.get("KOHYA"):
        found |= {"kohya": kohya(), "kohya with convolutions": kohya(conv_dim=2, conv_alpha=3), "kohya, a rank for each block": kohya(block_dims=",".join(str(1 + i % 4) for i in range(25)))}
    from peft import AdaLoraConfig, HRAConfig, OFTConfig, VeraConfig

    linear = tuple(n for n in ATTENTION)
    return found | {
        "PEFT LoRA": peft(LoraConfig, r=RANK, lora_alpha=ALPHA),
        "PEFT rsLoRA": peft(LoraConfig, r=RANK, lora_alpha=ALPHA, use_rslora=True),
        "PEFT DoRA": peft(LoraConfig, r=RANK, lora_alpha=ALPHA, use_dora=True),
        "PEFT ranks and alphas by pattern": peft(LoraConfig, r=RANK, lora_alpha=ALPHA, rank_pattern={"to_q": 2, "q_proj": 1}, alpha_pattern={"to_v": 3, "v_proj": 5}),
        "PEFT LoHa": peft(LoHaConfig, r=RANK, alpha=ALPHA),
        "PEFT LoKr": peft(LoKrConfig, r=RANK, alpha=ALPHA, decompose_factor=4),
        "PEFT PiSSA": peft(LoraConfig, linear, r=RANK, lora_alpha=ALPHA, init_lora_weights="pissa"),
        "PEFT AdaLoRA": peft(AdaLoraConfig, linear, init_r=RANK, target_r=RANK, lora_alpha=ALPHA, total_step=9),
        "PEFT OFT": peft(OFTConfig, linear, r=0, oft_block_size=4),
        "PEFT HRA": peft(HRAConfig, linear, r=RANK),
        "PEFT's own state": raw_state,
        "diffusers": diffusers(False, lora_alpha=RANK),
        "diffusers with an alpha in its metadata": diffusers(True, lora_alpha=ALPHA),
        "diffusers DoRA": diffusers(True, lora_alpha=ALPHA, use_dora=True),
        "diffusers, alphas by pattern": diffusers(True, lora_alpha=ALPHA, alpha_pattern={"to_v": 3, "v_proj": 5}),
    }


def main() -> None:
    logging.disable(logging.WARNING)
    models, work, filters = arguments()
    score = Score()
    names = [f for f in filters if (models / f).exists()] or ["sd1", "sd2-v", "bk-base", "bk-tiny"]
    wanted = [f for f in filters if f not in names]
    save_file({"latents": START}, work / "start.safetensors")
    for name in names:
        shutil.rmtree(work / name, ignore_errors=True)
        (work / name).mkdir(parents=True)
        plain = latents(pipeline(models / name))
        for kind, write in kinds().items():
            if wanted and not any(w in kind for w in wanted):
                continue
            place = work / name / f"{re.sub('[^A-Za-z0-9]+', '-', kind)}.safetensors"
            torch.manual_seed(3)
            try:
                written = write(pipeline(models / name), place)
            except Exception as error:  # noqa: BLE001
                print(f"---  {name} {kind}: not written: {type(error).__name__}: {str(error)[:200]}", flush=True)
                continue
            reference, place = written if isinstance(written, tuple) else (written, place)
            outcome = likeness("generate", "--model", models / name, "--lora", place, "--prompt", PROMPT, "--steps", STEPS, "--guidance", 5, "--size", "64x64",
                               "--latents", work / "start.safetensors", "--save-latents", work / "end.safetensors", "--out", work / "pictures")
            if outcome.status == 1 and any(kind.endswith(one) for one in REFUSED):
                score.verdict(f"{name} {kind}: refused: {outcome.stderr.strip()[-300:]}", True)
            elif score.ran(f"{name} {kind}", outcome):
                error = relative_error(load_file(work / "end.safetensors")["latents"], reference)
                score.limit(f"{name} {kind} (moves {relative_error(reference, plain):.2f})", error, LIMIT)
    score.finish()


if __name__ == "__main__":
    main()
