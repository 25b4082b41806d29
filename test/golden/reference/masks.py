"""python masks.py: masks of photos and the loss they weigh, by Pillow, torch and PEFT.

Writes fixtures/masks/: masks for some of fixtures/photos with, in expected.json, the weights of their latents; and
steps.safetensors: what recorded batches of fixtures/training come to when such weights go with them.
"""

import base64
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageOps
from safetensors.torch import load_file, save_file

from photos import center, random_crop, resize_shorter
from torch_training import published, train

FIXTURES = Path(__file__).parent.parent / "fixtures"
FACTOR, BACKGROUND = 8, 0.1


def normalized(shares: torch.Tensor) -> torch.Tensor:
    weights = shares.clamp(BACKGROUND, 1)
    return weights / weights.mean(dim=(-2, -1), keepdim=True)


def latent_weights(mask: Image.Image) -> torch.Tensor:
    pixels = torch.from_numpy(np.asarray(mask, dtype=np.float64) / 255)[None, None]
    return normalized(F.interpolate(pixels, scale_factor=1 / FACTOR, mode="area"))[0, 0]


def geometry(out: Path) -> None:
    records = []
    for name, size in [("wide.png", 32), ("tall.png", 40), ("square.png", 64), ("orientation-6.jpg", 24), ("orientation-2.jpg", 24)]:
        photo = ImageOps.exif_transpose(Image.open(FIXTURES / "photos" / name))
        width, height = photo.size
        mask = Image.new("L", photo.size)
        draw = ImageDraw.Draw(mask)
        draw.ellipse((0.2 * width, 0.3 * height, 0.6 * width, 0.8 * height), fill=255)
        draw.rectangle((0.65 * width, 0.5 * height, 0.75 * width, 0.6 * height), fill=128)
        mask.save(out / f"{Path(name).stem}.png")
        for seed in (None, 3):
            small = resize_shorter(mask, size)
            weights = latent_weights(center(small, size) if seed is None else random_crop(small, size, seed))
            data = base64.b64encode(weights.numpy().astype("<f4").tobytes()).decode()
            records.append({"file": name, "size": size, "seed": seed, "weights": data})
    (out / "expected.json").write_text(json.dumps(records))


def steps(out: Path) -> None:
    folder = FIXTURES / "training" / "lora-epsilon-prior"
    model = FIXTURES / "models" / "tiny-bk"
    record = {k: v[:4] for k, v in load_file(folder / "replay.safetensors").items()}
    shares = (torch.rand(4, 1, 1, 8, 8, generator=torch.Generator().manual_seed(9)) * 1.6 - 0.6).clamp(0, 1)
    record["loss_weights"] = normalized(shares)
    losses, _, after = train(model, record, "lora", 1e-3, folder / "start", prior=True, dtype=torch.float64)
    found = {f"{part}.{published(part, n)}": t.float().contiguous() for part, state in after.items() for n, t in state.items()}
    weights = record["loss_weights"].float().contiguous()
    save_file({"loss_weights": weights, "losses": torch.tensor(losses), **found}, out / "steps.safetensors", {"lr": "0.001"})
    print([round(loss, 4) for loss in losses])


if __name__ == "__main__":
    folder = FIXTURES / "masks"
    folder.mkdir(parents=True, exist_ok=True)
    geometry(folder)
    steps(folder)
