"""Folders of the recipe, as data/paths.ts has them, and how a stage keeps its state."""

import os
from pathlib import Path

import torch

REPOSITORY = Path(__file__).resolve().parents[3]
OUT = Path(os.environ.get("LIKENESS_OUT", REPOSITORY / ".cache" / "recipe"))
PICTURES = OUT / os.environ.get("LIKENESS_NAME", "train")
WEIGHTS = OUT / "weights"
SIDE = 128


def save_state(state: dict, name: str) -> None:
    """Writes WEIGHTS/name so that a kill at any moment leaves either the old file or the new one."""
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    part = WEIGHTS / f"{name}.part"
    torch.save(state, part)
    os.replace(part, WEIGHTS / name)


def load_state(name: str) -> dict | None:
    file = WEIGHTS / name
    return torch.load(file, map_location="cpu", weights_only=False) if file.exists() else None
