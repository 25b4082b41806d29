"""
MobileNetV2's features of all pictures, for the U-Net to learn shapes by: uint8 [n,48,8,8] a shard, the strongest principal axes of
its last layer with a cell for every 16 pixels. Shards that are there already are skipped.

    python features.py
"""

import os
from pathlib import Path

import numpy as np
import torch

from mobilenet import MobileNet
from paths import WEIGHTS
from pictures import finished_shards, images

FOLDER = WEIGHTS / "features"
TAP = 12  # block whose cells are 16 pixels wide: 8x8 of them, as the U-Net's middle stage has
CHANNELS = 48  # they keep 78 % of the variance
REACH = 5.0  # deviations that the 256 levels span on either side


def file_of(shard: int) -> Path:
    return FOLDER / f"features-{shard:03d}.npy"


def find_axes(sample: torch.Tensor) -> dict[str, torch.Tensor]:
    """Features [n,136,8,8] → their `mean` [136,1,1], principal `axes` [48,136], and the `step` [48,1,1] of a byte along each."""
    mean = sample.mean((0, 2, 3)).view(-1, 1, 1)
    flat = (sample - mean).movedim(1, -1).flatten(0, -2)
    axes = torch.linalg.svd(flat, full_matrices=False)[2][:CHANNELS]
    return {"mean": mean, "axes": axes, "step": ((flat @ axes.T).std(0) * REACH / 127.5).view(-1, 1, 1)}


def levels(features: torch.Tensor, found: dict[str, torch.Tensor]) -> torch.Tensor:
    """Features along the axes, as bytes [n,48,8,8]."""
    along = torch.einsum("nchw,dc->ndhw", features - found["mean"], found["axes"])
    return (along / found["step"] + 127.5).round().clamp(0, 255).byte()


@torch.no_grad()
def look(net: MobileNet, pictures: np.ndarray) -> torch.Tensor:
    """uint8 [n,128,128,3] → features f32 [n,136,8,8]."""
    x = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return net(x.contiguous(memory_format=torch.channels_last))[0]


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    net = MobileNet((TAP,)).eval()
    shards = finished_shards()
    file = FOLDER / "axes.pt"
    if not file.exists():
        sample = torch.cat([look(net, images(k)[:60]) for k in shards[:: max(1, len(shards) // 8)]])
        torch.save(find_axes(sample), file)
    axes = torch.load(file)
    for shard in shards:
        target = file_of(shard)
        if target.exists():
            continue
        pictures = images(shard)
        found = [levels(look(net, pictures[k : k + 50]), axes) for k in range(0, len(pictures), 50)]
        part = target.with_suffix(".part.npy")
        np.save(part, torch.cat(found).numpy())
        os.replace(part, target)
        print(f"features of shard {shard}", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    main()
