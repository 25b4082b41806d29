"""The rendered pictures and their captions, shard by shard."""

import json

import numpy as np

from paths import PICTURES, SIDE

SHARD = 1000


def finished_shards() -> list[int]:
    """Numbers of the shards that are there: rendering may still go on."""
    return sorted(int(file.stem.split("-")[1]) for file in PICTURES.glob("images-*.bin"))


def images(shard: int) -> np.ndarray:
    """uint8 [n, 128, 128, 3], mapped, not read."""
    file = PICTURES / f"images-{shard:03d}.bin"
    return np.memmap(file, np.uint8, "r").reshape(-1, SIDE, SIDE, 3)


def records(shard: int) -> list[dict]:
    """One per picture: `captions` (the fullest first), `noun`, `color`, `scene`, …"""
    text = (PICTURES / f"captions-{shard:03d}.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]
