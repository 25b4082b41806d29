"""python accept_adapters.py WORK: DoRA, LoHa and LoKr as `finetune` trains and `export` writes them, in PEFT.

Each is trained for two steps on a fixture's recorded batches, exported as PEFT folder, kohya file and merged folder; PEFT loads the first, and
its merged weights are compared with those of the third and with what the second says by LyCORIS' equations.
"""

import sys
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file

from accept import Score, likeness, pipeline

FIXTURES = Path(__file__).parent.parent / "fixtures"
MODEL = FIXTURES / "models" / "tiny-bk"
TARGETS = {"unet": "to_q,proj,conv1,conv_shortcut", "text_encoder": "q_proj,fc1"}


def lycoris(tensors: dict, base: torch.Tensor) -> torch.Tensor:
    alpha = tensors["alpha"].item()
    if "hada_w1_a" in tensors:
        first, second = tensors["hada_w1_a"] @ tensors["hada_w1_b"], tensors["hada_w2_a"] @ tensors["hada_w2_b"]
        return base + (first * second * alpha / tensors["hada_w1_b"].shape[0]).reshape(base.shape)
    if "lokr_w1" in tensors:
        whole = "lokr_w2" in tensors
        second = tensors["lokr_w2"].flatten(1) if whole else tensors["lokr_w2_a"] @ tensors["lokr_w2_b"]
        return base + (torch.kron(tensors["lokr_w1"], second) * (1 if whole else alpha / tensors["lokr_w2_b"].shape[0])).reshape(base.shape)
    down, up = tensors["lora_down.weight"].flatten(1), tensors["lora_up.weight"].flatten(1)
    direction = base + (up @ down * alpha / down.shape[0]).reshape(base.shape)
    length = direction.flatten(1).norm(dim=1).reshape(-1, *[1] * (base.dim() - 1))
    return direction * tensors["dora_scale"].reshape(length.shape) / length


def main(work: Path) -> None:
    scores = Score()
    for method in ("dora", "loha", "lokr"):
        run = work / method
        record = FIXTURES / "training" / method / "replay.safetensors"
        trained = likeness("finetune", "--model", MODEL, "--replay", record, "--method", method, "--rank", 2, "--text-rank", 2, "--steps", 2, "--lr", 1e-2,
                           "--targets", TARGETS["unet"], "--text-targets", TARGETS["text_encoder"], "--provider", "cpu", "--out", run)
        if not scores.ran(f"{method} finetune", trained):
            continue
        for form, name in (("peft", "peft"), ("kohya", "kohya.safetensors"), ("diffusers", "merged")):
            scores.ran(f"{method} {form}", likeness("export", "--run", run, "--format", form, "--dtype", "f32", "--transformers", 5, "--out", work / f"{method}-{name}"))
        merged, base = pipeline(work / f"{method}-merged"), pipeline(MODEL)
        kohya: dict = {}
        for key, value in load_file(work / f"{method}-kohya.safetensors").items():
            module, kind = key.split(".", 1)
            kohya.setdefault(module, {})[kind] = value.float()
        for part, prefix in (("unet", "lora_unet_"), ("text_encoder", "lora_te_")):
            before = {n: p.detach().clone() for n, p in getattr(base, part).named_parameters()}
            wanted = dict(getattr(merged, part).named_parameters())
            peft = PeftModel.from_pretrained(getattr(pipeline(MODEL), part), work / f"{method}-peft" / part).merge_and_unload()
            gap = max((p - wanted[n]).abs().max().item() for n, p in peft.named_parameters())
            moved = sum(not torch.equal(wanted[n], before[n]) for n in before)
            scores.limit(f"{method} {part} in PEFT", gap, 1e-5)
            scores.at_least(f"{method} {part} tensors moved", moved, 2)
            names = {prefix + n.removesuffix(".weight").replace(".", "_"): n for n in before}
            text = {prefix + "text_model_" + k.removeprefix(prefix): n for k, n in names.items()}
            own = {m: t for m, t in kohya.items() if m.startswith(prefix)}
            gap = max((lycoris(t, before[{**text, **names}[m]]) - wanted[{**text, **names}[m]]).abs().max().item() for m, t in own.items())
            scores.limit(f"{method} {part} by LyCORIS' equations", gap, 1e-5)
    scores.finish()


if __name__ == "__main__":
    with torch.no_grad():
        main(Path(sys.argv[1]))
