"""Recorded batches through `likeness finetune --replay` and through torch + PEFT: losses and how far weights moved."""

import os
import shutil

import torch

from accept import Score, arguments, likeness, wanted
from torch_training import make_replay, published, read_tensors, train, write_lora_start

SIZE = int(os.environ.get("SIZE", "16"))  # latents' side; 32 takes the paths of large pictures (Winograd, attention in rounds)
CASES = [  # name, model, method, prior, batch, steps, lr
    ("lora-epsilon-prior", "sd1", "lora", True, 2, 50, 1e-4),
    ("lora-velocity", "sd2-v", "lora", False, 2, 50, 1e-4),
    ("lora-half-weights-prior", "segmind-tiny", "lora", True, 4, 50, 1e-4),
    ("lora-zero-snr", "sd2-zero-snr", "lora", False, 1, 50, 1e-4),
    ("lora-fast", "bk-small", "lora", True, 2, 50, 1e-3),
    ("full-epsilon-prior", "sd1", "full", True, 2, 30, 1e-6),
    ("full-epsilon-prior-fast", "sd1", "full", True, 2, 30, 1e-4),
    ("full-velocity", "sd2-v", "full", False, 2, 30, 1e-6),
    ("full-bk-tiny", "bk-tiny", "full", True, 2, 30, 1e-5),
    ("full-half-weights", "bk-base", "full", False, 1, 30, 1e-5),
]


def movement_error(ours: dict, before: dict, after: dict) -> tuple[float, list]:
    """Norm of (ours − reference) over norm of the reference's movement: overall, and the worst tensors."""
    gap = {n: (ours[n].double() - after[n].double()).norm().item() for n in after}
    moved = {n: (after[n].double() - before[n].double()).norm().item() for n in after}
    total = sum(v * v for v in gap.values()) ** 0.5 / sum(v * v for v in moved.values()) ** 0.5
    return total, sorted(((gap[n] / max(moved[n], 1e-30), n) for n in after), reverse=True)[:3]


def named(part: str, tensors: dict) -> dict:
    return {published(part, n): t for n, t in tensors.items()}


def compare(score: Score, case, models, work) -> None:
    name, model, method, prior, batch, steps, lr = case
    folder, limit = models / model, 5e-3 if method == "lora" else 2e-2
    work = work / name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    record = make_replay(folder, work / "replay.safetensors", steps, batch, prior, seed=len(name), size=SIZE)
    start = work / "start"
    if method == "lora":
        write_lora_start(folder, start, seed=5)
    losses, before, after = train(folder, record, method, lr, start, prior=prior)

    outcome = likeness(
        "finetune", "--model", folder, "--replay", work / "replay.safetensors", "--method", method, "--steps", steps,
        "--lr", lr, "--out", work / "run", *(["--init-lora", start] if method == "lora" else []),
    )
    if not score.ran(name, outcome):
        return
    ours = [e["loss"] for e in outcome.of("step")]
    if len(ours) != steps:
        score.verdict(f"{name}: {len(ours)} step events of {steps}", False)
        return
    worst = max(range(steps), key=lambda k: abs(ours[k] - losses[k]))
    score.limit(f"{name} loss, worst at step {worst + 1}", abs(ours[worst] - losses[worst]), 1e-3)
    form, options = ("peft", ["--transformers", "5"]) if method == "lora" else ("diffusers", [])
    exported = likeness("export", "--run", work / "run", "--format", form, "--dtype", "f32", "--out", work / form, *options)
    if not score.ran(f"{name} export", exported):
        return
    for part in ("unet", "text_encoder"):
        theirs = named(part, after[part])
        got = named(part, read_tensors(work / form / part))
        if got.keys() != theirs.keys():
            gone, extra = sorted(theirs.keys() - got.keys()), sorted(got.keys() - theirs.keys())
            score.verdict(f"{name} {part} keys: missing {gone[:3]} extra {extra[:3]}", False)
            continue
        error, tensors = movement_error(got, named(part, before[part]), theirs)
        score.limit(f"{name} {part} share of the movement; worst {[f'{e:.2g} {n}' for e, n in tensors]}", error, limit)


def noise_floor(case, models, work) -> None:
    """How far float32 torch itself is from float64."""
    name, model, method, prior, batch, steps, lr = case
    work.mkdir(parents=True, exist_ok=True)
    record = make_replay(models / model, work / "floor.safetensors", steps, batch, prior, seed=len(name), size=SIZE)
    if method == "lora":
        write_lora_start(models / model, work / "floor", seed=5)
    runs = [train(models / model, record, method, lr, work / "floor", prior=prior, dtype=d) for d in (torch.float32, torch.float64)]
    print(name, "floor: loss", max(abs(a - b) for a, b in zip(runs[0][0], runs[1][0])), "from", runs[1][0][0], "to", runs[1][0][-1])
    for part in ("unet", "text_encoder"):
        print("   ", part, movement_error(runs[0][2][part], runs[1][1][part], runs[1][2][part]))


if __name__ == "__main__":
    models, work, filters = arguments()
    score = Score()
    for case in CASES:
        if "floor" in filters and wanted(case[0], [f for f in filters if f != "floor"]):
            noise_floor(case, models, work)
        elif wanted(case[0], filters):
            compare(score, case, models, work)
    score.finish()
