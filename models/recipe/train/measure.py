"""
What the autoencoder loses, and whether its errors show the grid of its 8x8 patches.

    python measure.py [--photos FOLDER]     # renders of the held-out objects (makeData.ts --name held --held only) and, if given, photos
    python measure.py --drawn FOLDER        # instead: the energy in pictures that a model drew, relative to renders'

Prints for each set the PSNR of pictures given back, and the energy at the period of 8 pixels relative to the pictures' own: with
the latents as they are, and disturbed by noise of the size the U-Net errs by.
"""

import argparse
import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from autoencoder import NOISE, Autoencoder
from paths import OUT, SIDE, load_state


def period_energy(pictures: torch.Tensor) -> torch.Tensor:
    """
    [n,3,128,128] → [n]: energy of the mean 8x8 tile, what it has beside its mean. That is the power of the picture's spectrum at all
    harmonics of the period.
    """
    n, c, h, w = pictures.shape
    tile = pictures.reshape(n, c, h // 8, 8, w // 8, 8).mean((2, 4))
    return (tile - tile.mean((2, 3), keepdim=True)).square().mean((1, 2, 3))


def photos(folder: Path) -> np.ndarray:
    """The middle squares of all photos below, at the model's size: uint8 [n,128,128,3]."""
    found = []
    for file in sorted(file for file in folder.rglob("*") if file.suffix.lower() in (".jpg", ".jpeg", ".png")):
        picture = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
        found.append(np.asarray(ImageOps.fit(picture, (SIDE, SIDE), Image.Resampling.BICUBIC)))
    return np.stack(found)


def held_out(count: int) -> np.ndarray:
    file = OUT / "held" / "images-000.bin"
    return np.fromfile(file, np.uint8, count * SIDE * SIDE * 3).reshape(-1, SIDE, SIDE, 3)


@torch.no_grad()
def measure(name: str, pixels: np.ndarray, model: Autoencoder) -> None:
    pictures = as_tensor(pixels)
    generator = torch.Generator().manual_seed(7)
    for level in (0.0, NOISE):
        made = []
        for some in pictures.split(16):
            latents = model.encoder(some)
            noise = torch.randn(latents.shape, generator=generator)
            made.append(model.decode(latents + level * latents.std() * noise).clamp(-1, 1))
        whole = torch.cat(made)
        psnr = 10 * torch.log10(4 / (whole - pictures).square().mean((1, 2, 3))).mean()
        grid = period_energy(whole).mean() / period_energy(pictures).mean()
        print(f"{name}, {len(pictures)}, noise {level}: PSNR {psnr:.2f} dB, energy at 8 pixels {grid:.2f} x")


def as_tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def compare_drawn(folder: Path) -> None:
    drawn, real = period_energy(as_tensor(photos(folder))), period_energy(as_tensor(held_out(200)))
    print(f"{len(drawn)} pictures drawn: energy at 8 pixels {drawn.mean() / real.mean():.2f} x, median {drawn.median() / real.median():.2f} x")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--drawn", type=Path)
    parser.add_argument("--state", default="")
    args = parser.parse_args()
    if args.drawn:
        compare_drawn(args.drawn)
        return
    state = load_state(args.state) if args.state else load_state("sharp.pt") or load_state("autoencoder.pt")
    model = Autoencoder().eval()
    model.load_state_dict(state["average"])
    measure("held-out renders", held_out(128), model)
    if args.photos:
        measure("photos", photos(args.photos), model)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    main()
