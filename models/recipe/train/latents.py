"""
Stage 2: pictures as latents, shard by shard: uint8 [n, 8, 16, 16] with a scale per channel, a quarter of f32's room and far
finer than the noise the decoder is trained with. Shards that are there already are skipped.

    python latents.py --shards 20
"""

import argparse
import os

import numpy as np
import torch

from autoencoder import Autoencoder
from paths import WEIGHTS, load_state
from pictures import finished_shards, images

FOLDER = WEIGHTS / "latents"
REACH = 4.5  # deviations that the 256 levels span on either side


def encode(model: Autoencoder, pictures: np.ndarray) -> torch.Tensor:
    """uint8 [n,h,w,3] → means [n,8,h/8,w/8], not yet scaled."""
    x = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        return model.encoder(x)


def open_encoder() -> Autoencoder:
    model = Autoencoder().to(memory_format=torch.channels_last).eval()
    model.load_state_dict(load_state("autoencoder.pt")["average"])
    return model


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shards", type=int, default=10**6)
    count = parser.parse_args().shards
    FOLDER.mkdir(parents=True, exist_ok=True)
    model = open_encoder()
    scale_file = FOLDER / "scale.pt"
    if not scale_file.exists():
        sample = encode(model, images(finished_shards()[0])[:500])
        torch.save({"mean": sample.mean((0, 2, 3)), "std": sample.std((0, 2, 3)), "overall": sample.std()}, scale_file)
    scale = torch.load(scale_file)
    for shard in finished_shards()[:count]:
        file = FOLDER / f"latents-{shard:03d}.npy"
        if file.exists():
            continue
        pictures = images(shard)
        found = torch.cat([encode(model, pictures[k : k + 50]) for k in range(0, len(pictures), 50)])
        levels = (found - scale["mean"].view(-1, 1, 1)) / scale["std"].view(-1, 1, 1) * (127.5 / REACH) + 127.5
        part = file.with_suffix(".part.npy")
        np.save(part, levels.round().clamp(0, 255).to(torch.uint8).numpy())
        os.replace(part, file)
        print(f"latents of shard {shard}", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    main()
