"""Photos as the DreamBooth script prepares them: Pillow and torchvision's Resize, crop and normalization.

Writes fixtures/photos/: small PNG and JPEG files and, in expected.json, the cropped bytes.
torchvision need not be installed: its Resize of a Pillow image is Image.resize, its crops are the arithmetic below.
"""

import base64
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps


def resize_shorter(image, size):
    width, height = image.size
    short, long = sorted((width, height))
    new_long = int(size * long / short)
    new_width, new_height = (size, new_long) if width <= height else (new_long, size)
    return image.resize((new_width, new_height), Image.BILINEAR)


def center(image, size):
    width, height = image.size
    top, left = int(round((height - size) / 2.0)), int(round((width - size) / 2.0))
    return image.crop((left, top, left + size, top + size))


def random_crop(image, size, seed):
    width, height = image.size
    if (width, height) == (size, size):
        return image
    generator = torch.Generator().manual_seed(seed)
    top = torch.randint(0, height - size + 1, (1,), generator=generator).item()
    left = torch.randint(0, width - size + 1, (1,), generator=generator).item()
    return image.crop((left, top, left + size, top + size))


def scene(width, height):
    """Gradients, edges and noise: what a wrong filter or offset would show in."""
    rng = np.random.default_rng(width * 1000 + height)
    y, x = np.mgrid[0:height, 0:width]
    planes = [x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1), ((x // 5 + y // 7) % 2) * 255]
    noisy = np.stack(planes, -1) + rng.integers(-40, 40, (height, width, 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def main():
    out = Path(__file__).parent.parent / "fixtures" / "photos"
    out.mkdir(parents=True, exist_ok=True)
    cases = []
    for name, (width, height), size in [
        ("wide.png", (97, 61), 24), ("tall.png", (50, 133), 24), ("square.png", (64, 64), 64), ("up.png", (19, 13), 32),
        ("odd.png", (101, 100), 33), ("thin.png", (90, 9), 16),
    ]:
        image = scene(width, height)
        image.save(out / name)
        cases.append((name, size, image))
    for orientation in range(1, 9):
        name = f"orientation-{orientation}.jpg"
        exif = Image.Exif()
        exif[0x0112] = orientation
        # No subsampling of colour: decoders then agree.
        scene(48, 32).save(out / name, quality=95, subsampling=0, exif=exif)
        cases.append((name, 16, ImageOps.exif_transpose(Image.open(out / name))))
    records = []
    for name, size, image in cases:
        resized = resize_shorter(image, size)
        for seed in (None, 3):
            crop = center(resized, size) if seed is None else random_crop(resized, size, seed)
            pixels = np.asarray(crop).transpose(2, 0, 1)
            records.append({"file": name, "size": size, "seed": seed, "bytes": base64.b64encode(pixels.tobytes()).decode()})
    (out / "expected.json").write_text(json.dumps(records))
    print(len(records), "crops")


if __name__ == "__main__":
    main()
