"""python make_distill_goldens.py: ten distillation steps on the fixture teachers, torch in float64.

Writes ../fixtures/distillation/<case>/: replay.safetensors (as `distill --replay` reads it) and expected.safetensors (losses
[10,3]: sd, output, feature; the student's tensors afterwards, of the moving average where there is one).
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel
from diffusers.training_utils import EMAModel
from safetensors.torch import save_file

from bk_students import make_student

FIXTURES = Path(__file__).parent.parent / "fixtures"
CASES = [  # name, teacher, kind, moving average, batch, side of the latents
    ("tiny", "tiny-sd1", "bk-tiny", False, 2, 8),
    ("base", "tiny-sd2", "bk-base", True, 1, 8),
    ("xl", "tiny-sdxl", "bk-base", False, 2, 8),
]
LAMBDAS = {"sd": 1.0, "output": 0.5, "feature": 0.25}


def feature_names(kind: str, stages: int) -> list[tuple[str, str]]:
    """(teacher's, student's) blocks, as BK-SDM hooks them."""
    if kind != "bk-tiny":
        return [(name, name) for side in ("down", "up") for name in (f"{side}_blocks.{i}" for i in range(stages))]
    inner = ("down_blocks.2.attentions.1.proj_out", "down_blocks.2.attentions.0.proj_out")
    return [("down_blocks.0",) * 2, ("down_blocks.1",) * 2, inner, *((f"up_blocks.{i + 1}", f"up_blocks.{i}") for i in range(3))]


def watch(unet, names) -> dict:
    seen = {}
    for name, module in unet.named_modules():
        if name in names:
            module.register_forward_hook(lambda _m, _i, out, name=name: seen.__setitem__(name, out[0] if isinstance(out, tuple) else out))
    return seen


def distil(teacher, student, scheduler, record, pairs, lr, averaged, dtype):
    teacher.to(dtype).requires_grad_(False)
    student.to(dtype).train()
    taught, learnt = watch(teacher, [a for a, _ in pairs]), watch(student, [b for _, b in pairs])
    average = EMAModel(student.parameters()) if averaged else None
    optimizer = torch.optim.AdamW(student.parameters(), lr=lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2)
    losses = []
    for row, (latents, noise, timesteps, context) in enumerate(zip(*(record[k] for k in ("latents", "noise", "timesteps", "context")))):
        added = {k: record[k][row].to(dtype) for k in ("text_embeds", "time_ids") if k in record}
        latents, noise, context = latents.to(dtype), noise.to(dtype), context.to(dtype)
        noisy = scheduler.add_noise(latents, noise, timesteps)
        velocity = scheduler.config.prediction_type == "v_prediction"
        target = scheduler.get_velocity(latents, noise, timesteps) if velocity else noise
        prediction = student(noisy, timesteps, context, added_cond_kwargs=added).sample
        with torch.no_grad():
            wanted = teacher(noisy, timesteps, context, added_cond_kwargs=added).sample
        parts = {
            "sd": F.mse_loss(prediction, target),
            "output": F.mse_loss(prediction, wanted),
            "feature": sum(F.mse_loss(learnt[b], taught[a]) for a, b in pairs),
        }
        sum(LAMBDAS[name] * part for name, part in parts.items()).backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if average:
            average.step(student.parameters())
        losses.append([part.item() for part in parts.values()])
    if average:
        average.copy_to(student.parameters())
    return losses


if __name__ == "__main__":
    for name, model, kind, averaged, batch, side in CASES:
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        folder, out = FIXTURES / "models" / model, FIXTURES / "distillation" / name
        out.mkdir(parents=True, exist_ok=True)
        teacher = UNet2DConditionModel.from_pretrained(folder, subfolder="unet").float()
        scheduler = DDPMScheduler.from_pretrained(folder, subfolder="scheduler")
        g = torch.Generator().manual_seed(3)
        shape = (10, batch, 4, side, side)
        record = {
            "latents": torch.randn(shape, generator=g),
            "noise": torch.randn(shape, generator=g),
            "timesteps": torch.randint(0, 1000, shape[:2], generator=g),
            "context": torch.randn(10, batch, 77, teacher.config.cross_attention_dim, generator=g),
        }
        if teacher.config.addition_embed_type:  # what SDXL is told beside the prompt
            width = teacher.config.projection_class_embeddings_input_dim - 6 * teacher.config.addition_time_embed_dim
            record["text_embeds"] = torch.randn(10, batch, width, generator=g)
            record["time_ids"] = torch.tensor([64.0, 64, 0, 0, 64, 64]) + torch.randint(0, 9, (10, batch, 6), generator=g)
        save_file(record, out / "replay.safetensors")
        student = make_student(teacher, kind)
        losses = distil(teacher, student, scheduler, record, feature_names(kind, len(teacher.config.block_out_channels)), 1e-4, averaged, torch.float64)
        state = {n: t.float().contiguous() for n, t in student.state_dict().items()}
        metadata = {"teacher": model, "kind": kind, "lr": "1e-4", "ema": "0.9999" if averaged else "", **{k: str(v) for k, v in LAMBDAS.items()}}
        save_file({"losses": torch.tensor(losses), **state}, out / "expected.safetensors", metadata)
        print(name, [[round(v, 4) for v in row] for row in losses])
