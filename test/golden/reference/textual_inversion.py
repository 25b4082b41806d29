"""Rewrites ../fixtures/embedding: 20 steps of textual inversion as diffusers' textual_inversion.py takes them, on recorded batches."""

from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler
from safetensors.torch import save_file

from accept import pipeline

FIXTURES = Path(__file__).parent.parent / "fixtures"
STEPS, BATCH, VECTORS, RATE, WORD, START = 20, 2, 2, 5e-3, "<rex>", "dog"


def main() -> None:
    pipe = pipeline(FIXTURES / "models" / "tiny-sd1")
    tokenizer, text, unet = pipe.tokenizer, pipe.text_encoder, pipe.unet
    schedule = DDPMScheduler.from_config(pipe.scheduler.config)
    g = torch.Generator().manual_seed(5)

    # The model's own ids end at its vocabulary's size, whatever the tokenizer's is.
    first = text.config.vocab_size
    start = torch.tensor(tokenizer(START, add_special_tokens=False).input_ids)
    text.resize_token_embeddings(first + VECTORS, mean_resizing=False)
    table = text.get_input_embeddings().weight
    with torch.no_grad():
        table[first:] = table[start].mean(0)

    plain = tokenizer("a photo of a dog", padding="max_length", max_length=77, return_tensors="pt").input_ids
    ids = torch.cat([plain[:, :4], torch.arange(first, first + VECTORS)[None], plain[:, 4 : 77 - VECTORS]], dim=1)
    latents = torch.randn(STEPS, BATCH, 4, 16, 16, generator=g)
    record = {
        "latents": 0.8 * latents + 0.6 * latents.mean(0, keepdim=True) * STEPS**0.5,
        "noise": torch.randn(latents.shape, generator=g),
        "timesteps": torch.randint(0, 1000, (STEPS, BATCH), generator=g),
        "input_ids": ids.expand(STEPS, BATCH, 77).contiguous(),
    }

    for module in (unet, text):
        module.requires_grad_(False)
    table.requires_grad_(True)
    before = table.detach().clone()
    optimizer = torch.optim.AdamW([table], lr=RATE, betas=(0.9, 0.999), weight_decay=1e-2, eps=1e-8)
    losses = []
    for k in range(STEPS):
        x, noise, t = record["latents"][k], record["noise"][k], record["timesteps"][k]
        context = text(record["input_ids"][k])[0]
        predicted = unet(schedule.add_noise(x, noise, t), t, context).sample
        loss = F.mse_loss(predicted, noise)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            table[:first] = before[:first]
        losses.append(loss.item())

    out = FIXTURES / "embedding"
    out.mkdir(exist_ok=True)
    save_file(record, out / "replay.safetensors")
    save_file({WORD: table.detach()[first:].clone()}, out / "learned_embeds.safetensors", {"format": "pt"})
    save_file({"losses": torch.tensor(losses), "start": before[first:].clone()}, out / "course.safetensors")


if __name__ == "__main__":
    main()
