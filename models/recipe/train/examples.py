"""What the later stages learn from: latents, scaled as the U-Net sees them, and tokenized captions."""

import random
from typing import NamedTuple

import numpy as np
import torch
from transformers import CLIPTokenizer

import features
from latents import FOLDER, REACH
from paths import WEIGHTS
from pictures import records

TOKENS = 32  # of a prompt, its beginning and end included; each one more is paid for in every cross-attention
TOKENIZER = WEIGHTS / "tokenizer"
KEPT = 59  # the shard that held_loss.py measures with, and nothing is trained on


class Drawn(NamedTuple):
    latents: torch.Tensor  # f32 [n,8,16,16], half of them mirrored
    records: list[dict]
    wordings: list[str]  # a caption of each
    rows: torch.Tensor
    mirrored: torch.Tensor  # [n,1,1,1]


class Examples:
    """All latents that are encoded, on `device`; new shards join at `refresh`."""

    def __init__(self, seed: int, device: str = "cpu"):
        self.device = device
        self.random = random.Random(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.tokenizer = CLIPTokenizer.from_pretrained(TOKENIZER)
        self.known: dict[str, list[int]] = {}
        scale = torch.load(FOLDER / "scale.pt")
        # Latents are divided by one number, as the scaling factor does it; the decoder's own axes keep their differences.
        self.gain = (scale["std"] / scale["overall"] * REACH / 127.5).view(-1, 1, 1).to(device)
        self.shift = (scale["mean"] / scale["overall"]).view(-1, 1, 1).to(device)
        self.shards: dict[int, tuple[torch.Tensor, list[dict]]] = {}
        self.refresh()

    def refresh(self) -> None:
        for file in sorted(FOLDER.glob("latents-*.npy")):
            shard = int(file.stem.split("-")[1]) if file.stem.count("-") == 1 and ".part" not in file.name else -1
            if shard < 0 or shard in self.shards:
                continue
            self.shards[shard] = torch.from_numpy(np.load(file)), records(shard)
        self.numbers = sorted(self.shards.keys() - {KEPT})
        self.levels = torch.cat([self.shards[k][0] for k in self.numbers]).to(self.device)
        self.records = [record for k in self.numbers for record in self.shards[k][1]]

    def scaled(self, levels: torch.Tensor) -> torch.Tensor:
        """uint8 as latents.py writes them → latents f32."""
        return levels.float().sub_(127.5) * self.gain + self.shift

    def kept(self, count: int) -> tuple[torch.Tensor, list[dict]]:
        """The first latents of the shard that is kept from training, and their records."""
        levels, found = self.shards[KEPT]
        return self.scaled(levels[:count].to(self.device)), found[:count]

    def ids(self, caption: str) -> list[int]:
        found = self.known.get(caption)
        if found is None:
            found = self.tokenizer(caption, padding="max_length", max_length=TOKENS, truncation=True)["input_ids"]
            self.known[caption] = found
        return found

    def draw(self, count: int) -> Drawn:
        rows = torch.randint(len(self.records), (count,), generator=self.generator)
        latents = self.scaled(self.levels[rows.to(self.device)])
        mirrored = (torch.rand(count, generator=self.generator) < 0.5).to(self.device).view(-1, 1, 1, 1)
        latents = torch.where(mirrored, latents.flip(3), latents)
        found = [self.records[row] for row in rows.tolist()]
        # The fuller wordings come first, and teach more.
        wordings = [r["captions"][int(self.random.random() ** 2 * len(r["captions"]))] for r in found]
        return Drawn(latents, found, wordings, rows, mirrored)

    def batch(self, count: int, empty: float) -> tuple[Drawn, torch.Tensor]:
        """Examples and ids i64 [n,TOKENS]; a share `empty` has no caption."""
        drawn = self.draw(count)
        ids = [self.ids("" if self.random.random() < empty else wording) for wording in drawn.wordings]
        return drawn, torch.tensor(ids, device=self.device)

    def open_features(self) -> None:
        """What features.py made of the same pictures."""
        self.feature_step = torch.load(features.FOLDER / "axes.pt")["step"].to(self.device)
        found = [torch.from_numpy(np.load(features.file_of(k))) for k in self.numbers]
        self.feature_levels = torch.cat(found).to(self.device)

    def features_of(self, drawn: Drawn) -> torch.Tensor:
        """f32 [n,48,8,8], mirrored where the latents are."""
        found = (self.feature_levels[drawn.rows.to(self.device)].float() - 127.5) * self.feature_step
        return torch.where(drawn.mirrored, found.flip(3), found)
