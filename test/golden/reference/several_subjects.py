"""Rewrites ../fixtures/subjects: eight steps of a full finetune that learns two subjects in turn, from photos to losses, in torch and diffusers."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler
from PIL import Image
from safetensors.torch import save_file

from accept import pipeline

FIXTURES = Path(__file__).parent.parent / "fixtures"
STEPS, BATCH, SIZE, SEED, RATE = 8, 2, 32, 1234, 1e-4
# Folder, photos and prompt of each.
SUBJECTS = [("bricks", 3, "a photo of sks brick"), ("balls", 2, "a photo of ohwx ball")]


def generator(seed: int, purpose: str, index: int = 0) -> torch.Generator:
    """For one purpose of a run: FNV-1a (32 bits) over the purpose and both numbers."""
    value = 0x811C9DC5
    for character in f"{purpose}:{seed}:{index}":
        value = ((value ^ ord(character)) * 0x01000193) & 0xFFFFFFFF
    return torch.Generator().manual_seed(value)


def paint(folder: Path, photos: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(len(folder.name))
    for i in range(photos):
        small = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(small.repeat(SIZE // 4, 0).repeat(SIZE // 4, 1)).save(folder / f"{i}.png")


def main() -> None:
    out = FIXTURES / "subjects"
    pipe = pipeline(FIXTURES / "models" / "tiny-bk")
    schedule = DDPMScheduler.from_config(pipe.scheduler.config)
    posteriors, contexts = [], []
    for name, photos, prompt in SUBJECTS:
        paint(out / name, photos)
        pixels = [np.asarray(Image.open(out / name / f"{i}.png")) for i in range(photos)]
        images = (torch.tensor(np.stack(pixels)).permute(0, 3, 1, 2) / 255 - 0.5) / 0.5
        ids = pipe.tokenizer(prompt, padding="max_length", max_length=77, return_tensors="pt").input_ids
        with torch.no_grad():
            posteriors.append(pipe.vae.encode(images).latent_dist)
            contexts.append(pipe.text_encoder(ids)[0])

    def batch(step: int) -> tuple[torch.Tensor, ...]:
        turn, index = step % len(SUBJECTS), step // len(SUBJECTS)
        seed, posterior = SEED + 1_000_000 * turn, posteriors[turn]
        photos = len(posterior.mean)
        g = generator(seed, "batch", index)
        latents = []
        for drawn in range(index * BATCH, (index + 1) * BATCH):
            order = torch.randperm(photos, generator=generator(seed, "subject order", drawn // photos))
            photo = order[drawn % photos]
            draw = torch.randn(posterior.mean[photo].numel(), generator=g).view(posterior.mean[photo].shape)
            latents.append((posterior.mean[photo] + posterior.std[photo] * draw) * pipe.vae.config.scaling_factor)
        x = torch.stack(latents)
        noise = torch.randn(x.shape, generator=g)
        timesteps = torch.randint(0, 1000, (BATCH,), generator=g)
        return x, noise, timesteps, contexts[turn].expand(BATCH, -1, -1)

    unet = pipe.unet.requires_grad_(True)
    optimizer = torch.optim.AdamW(unet.parameters(), lr=RATE, betas=(0.9, 0.999), weight_decay=1e-2, eps=1e-8)
    losses = []
    for step in range(STEPS):
        x, noise, timesteps, context = batch(step)
        loss = F.mse_loss(unet(schedule.add_noise(x, noise, timesteps), timesteps, context).sample, noise)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    save_file({"losses": torch.tensor(losses)}, out / "course.safetensors")
    print(losses)


if __name__ == "__main__":
    main()
