"""python make_lcm_goldens.py: latent consistency by diffusers, on a fixture model.

Writes ../fixtures/lcm/drawn.safetensors (a U-Net's `cond_proj`, and what LatentConsistencyModelPipeline draws with it) and, for each way to
measure errors and for a model that predicts velocity, ../fixtures/lcm/<case>/: replay.safetensors (as `distill --lcm --replay` reads it), start/ (a PEFT folder) and
expected.safetensors (losses and matrices after each of six steps of `train_lcm_distill_lora_sd_wds.py`, in float64).
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, LatentConsistencyModelPipeline, LCMScheduler, UNet2DConditionModel
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file

from accept import pipeline
from torch_training import lora_state, published

FIXTURES = Path(__file__).parent.parent / "fixtures"
MODEL = FIXTURES / "models" / "tiny-sd1"
OUT = FIXTURES / "lcm"
TARGETS = ["to_q", "to_out.0", "ff.net.2", "conv1", "time_emb_proj", "downsamplers.0.conv"]
WIDTH, STEPS, BATCH, SOLVER, SCALING, RATE = 32, 6, 2, 50, 10.0, 1e-3
PROMPT = "a photo of sks dog in the snow"


def drawn():
    base = pipeline(MODEL)
    config = {key: value for key, value in base.unet.config.items() if not key.startswith("_")}
    unet = UNet2DConditionModel.from_config({**config, "time_cond_proj_dim": WIDTH})
    torch.manual_seed(4)
    weight = torch.randn(base.unet.config.block_out_channels[0], WIDTH) * 0.3
    unet.load_state_dict({**base.unet.state_dict(), "time_embedding.cond_proj.weight": weight})
    parts = {**base.components, "unet": unet, "scheduler": LCMScheduler.from_config(base.scheduler.config)}
    made = LatentConsistencyModelPipeline(**parts, requires_safety_checker=False)
    made.set_progress_bar_config(disable=True)
    out = {"cond_proj": weight}
    for guidance in (8.5, 1.5):
        seeded = torch.Generator("cpu").manual_seed(42)
        out[f"latents-{guidance}"] = made(PROMPT, height=64, width=64, num_inference_steps=4, guidance_scale=guidance,
                                          generator=seeded, output_type="latent").images
    save_file({key: value.detach().contiguous() for key, value in out.items()}, OUT / "drawn.safetensors", {"prompt": PROMPT, "seed": "42"})


def boundary(t):
    scaled = SCALING * t.double().reshape(-1, 1, 1, 1)
    return 0.25 / (scaled**2 + 0.25), scaled / (scaled**2 + 0.25).sqrt()


def distilled(case: str, name: str, errors: str):
    model, folder = FIXTURES / "models" / name, OUT / case
    folder.mkdir(parents=True, exist_ok=True)
    g = torch.Generator().manual_seed(8)
    base = pipeline(model)
    scheduler = DDPMScheduler.from_config(base.scheduler.config)
    ids = lambda words: base.tokenizer(words, padding="max_length", max_length=77, return_tensors="pt").input_ids
    with torch.no_grad():
        context = base.text_encoder(ids([PROMPT, "a cat"]))[0].float()
        negative = base.text_encoder(ids([""]))[0].double().expand(BATCH, -1, -1)
    ratio = 1000 // SOLVER
    index = torch.randint(0, SOLVER, (STEPS, BATCH), generator=g)
    index[0, 0] = 0  # whose next timestep is 0, the boundary itself
    record = {
        "latents": torch.randn(STEPS, BATCH, 4, 8, 8, generator=g),
        "noise": torch.randn(STEPS, BATCH, 4, 8, 8, generator=g),
        "timesteps": (index + 1) * ratio - 1,
        "context": context.expand(STEPS, -1, -1, -1).contiguous(),
        "guidance": 5 + 10 * torch.rand(STEPS, BATCH, generator=g),
    }
    save_file(record, folder / "replay.safetensors")

    torch.manual_seed(5)
    start = get_peft_model(base.unet.float(), LoraConfig(r=4, lora_alpha=6, target_modules=TARGETS))
    for name, q in start.named_parameters():
        if "lora_B" in name:
            q.data = 0.05 * torch.randn_like(q)
    start.save_pretrained(folder / "start" / "unet")
    (folder / "start" / "unet" / "README.md").unlink(missing_ok=True)

    teacher = pipeline(model).unet.double().requires_grad_(False)
    student = PeftModel.from_pretrained(pipeline(model).unet, folder / "start" / "unet", is_trainable=True).double().train()
    trained = [q for q in student.parameters() if q.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2)
    alphas, sigmas = scheduler.alphas_cumprod.double().sqrt(), (1 - scheduler.alphas_cumprod.double()).sqrt()
    previous = torch.from_numpy(np.asarray([scheduler.alphas_cumprod[0].item()] + scheduler.alphas_cumprod[torch.arange(1, SOLVER) * ratio - 1].tolist()))
    at = lambda values, t: values[t].reshape(-1, 1, 1, 1)
    velocity = scheduler.config.prediction_type == "v_prediction"
    x0 = lambda out, t, x: at(alphas, t) * x - at(sigmas, t) * out if velocity else (x - at(sigmas, t) * out) / at(alphas, t)
    noise_in = lambda out, t, x: at(alphas, t) * out + at(sigmas, t) * x if velocity else out
    losses = []
    for k in range(STEPS):
        latents, noise, t, text = record["latents"][k].double(), record["noise"][k].double(), record["timesteps"][k], record["context"][k].double()
        later = (t - ratio).clamp(min=0)
        noisy = at(alphas, t) * latents + at(sigmas, t) * noise
        w = record["guidance"][k].double().reshape(-1, 1, 1, 1)
        skip, out = boundary(t)
        predicted = skip * noisy + out * x0(student(noisy, t, text).sample, t, noisy)
        with torch.no_grad():
            cond, uncond = teacher(noisy, t, text).sample, teacher(noisy, t, negative).sample
            clean = x0(cond, t, noisy) + w * (x0(cond, t, noisy) - x0(uncond, t, noisy))
            eps = noise_in(cond, t, noisy) + w * (noise_in(cond, t, noisy) - noise_in(uncond, t, noisy))
            bar = previous[index[k]].reshape(-1, 1, 1, 1)
            earlier = bar.sqrt() * clean + (1 - bar).sqrt() * eps
            skip, out = boundary(later)
            target = skip * earlier + out * x0(student(earlier, later, text).sample, later, earlier)
        gap = predicted - target
        loss = F.mse_loss(predicted, target) if errors == "l2" else ((gap**2 + 1e-3**2).sqrt() - 1e-3).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    tensors = {f"unet.{published('unet', n)}": v.float().contiguous() for n, v in lora_state(student).items()}
    save_file({"losses": torch.tensor(losses), **tensors}, folder / "expected.safetensors", {"lr": str(RATE), "errors": errors, "model": name, "targets": ",".join(TARGETS)})
    print(case, [round(v, 5) for v in losses])


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    drawn()
    for case in (("l2", "tiny-sd1", "l2"), ("huber", "tiny-sd1", "huber"), ("velocity", "tiny-sd2", "l2")):
        distilled(*case)
