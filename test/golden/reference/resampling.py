"""Pillow's Image.resize with each filter.

Writes fixtures/resampling/: the fixture photo pictures resized, as bytes and, of mode F, as float32.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

fixtures = Path(__file__).parent.parent / "fixtures"
filters = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}
sizes = {"wide.png": (31, 40), "up.png": (45, 33), "tall.png": (32, 32), "odd.png": (101, 37), "square.png": (64, 64)}


def main():
    tensors = {}
    for name, size in sizes.items():
        image = Image.open(fixtures / "photos" / name).convert("RGB")
        for filter_name, number in filters.items():
            tensors[f"bytes.{name}.{filter_name}"] = np.array(image.resize(size, number))
        if name == "square.png":
            continue
        channels = [Image.fromarray(np.asarray(image)[:, :, i].astype(np.float32)) for i in range(3)]
        planes = [np.asarray(channel.resize(size, filters["bicubic"])) for channel in channels]
        tensors[f"floats.{name}.bicubic"] = np.stack(planes, -1)
    out = fixtures / "resampling"
    out.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, out / "expected.safetensors")
    (out / "sizes.json").write_text(json.dumps(sizes) + "\n")


if __name__ == "__main__":
    main()
