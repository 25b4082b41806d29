"""
Draws the unseen prompts (data/makePrompts.ts) with the U-Net's average as it is, and lets the scorer name noun and place of each: the
figure to watch a run by. A person naming them blind is what counts; on renders of the training set the scorer is right in the
shares that are printed first.

    python judge.py --sheet FILE.png [--guidance 4] [--steps 25]
"""

import argparse
import csv
import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from autoencoder import Autoencoder
from examples import Examples
from latents import FOLDER
from paths import OUT, load_state
from text import Scorer, summary, text_model
from unet import alphas, build, ddim_step, plain_attention


def read(file: Path) -> list[dict]:
    with file.open() as table:
        return list(csv.DictReader(table))


class Judge:
    """The scorer (src-main/engine/evaluation/likenessScorer.ts): which of several prompts latents are most like."""

    def __init__(self, examples: Examples):
        states = load_state("text.pt")
        self.examples, self.text, self.scorer = examples, text_model(examples.tokenizer).eval(), Scorer().eval()
        self.text.load_state_dict(states["text"])
        self.scorer.load_state_dict(states["scorer"])

    def hidden(self, prompts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        ids = torch.tensor([self.examples.ids(prompt) for prompt in prompts])
        return self.text(ids).last_hidden_state, ids

    def prompts(self, prompts: list[str]) -> torch.Tensor:
        hidden, ids = self.hidden(prompts)
        end = self.examples.tokenizer.eos_token_id
        return F.normalize(self.scorer.text_projection(summary(hidden, ids, end)), dim=1)

    def name(self, latents: torch.Tensor, prompts: list[str]) -> list[int]:
        return (F.normalize(self.scorer.images(latents), dim=1) @ self.prompts(prompts).T).argmax(1).tolist()


def draw(model, judge: Judge, prompts: list[str], steps: int, guidance: float, seed: int) -> torch.Tensor:
    """DDIM (Song et al. 2021) over trailing timesteps → latents [n,8,16,16]."""
    bars = alphas()
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(len(prompts), 8, 16, 16, generator=generator)
    context = torch.cat([judge.hidden(prompts)[0], judge.hidden([""])[0].expand(len(prompts), -1, -1)])
    times = [round(1000 - k * 1000 / steps) - 1 for k in range(steps)]
    for t, after in zip(times, [*times[1:], -1]):
        with torch.autocast("cpu", torch.bfloat16):
            both = model(torch.cat([x, x]), torch.full((2 * len(prompts),), t), context).sample.float()
        said, plain = both.chunk(2)
        v = plain + guidance * (said - plain)
        a, b = bars[t], bars[after] if after >= 0 else torch.tensor(1.0)
        x = ddim_step(x, v, a, b)
    return x


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--guidance", type=float, default=4)
    parser.add_argument("--steps", type=int, default=25)
    args = parser.parse_args()
    F.scaled_dot_product_attention = plain_attention
    examples = Examples(3)
    judge = Judge(examples)
    nouns = sorted({r["noun"] for r in examples.records if r["noun"]})
    places = {r["scene"]: r["captions"][2].split(r["noun"], 1)[1].strip() for r in examples.records if r["noun"]}
    keys = [key for key in places if not key.startswith("background")]
    noun_prompts = [f"a photo of a {noun}" for noun in nouns]
    place_prompts = [f"a photo taken {places[key]}" for key in keys]

    latents, records, *_ = examples.draw(300)
    kept = [i for i, r in enumerate(records) if r["noun"] and r["scene"] in keys]
    named, placed = (judge.name(latents[kept], prompts) for prompts in (noun_prompts, place_prompts))
    share = [np.mean([nouns[n] == records[i]["noun"] for i, n in zip(kept, named)])]
    share += [np.mean([keys[p] == records[i]["scene"] for i, p in zip(kept, placed)])]
    print(f"renders: noun right {share[0]:.2f}, place {share[1]:.2f}")

    state = load_state("unet.pt")
    model = build().eval()
    model.load_state_dict(state["average"])
    asked, answers = read(OUT / "unseenPrompts.csv"), read(OUT / "unseenPrompts-answers.csv")
    made = draw(model, judge, [row["text"] for row in asked], args.steps, args.guidance, 7)
    named, placed = (judge.name(made, prompts) for prompts in (noun_prompts, place_prompts))
    right = sum(nouns[n] == row["noun"] for n, row in zip(named, answers))
    there = sum(keys[p] == row["place"] for p, row in zip(placed, answers))
    print(f"after {state['seen']} examples, of {len(asked)}: noun right {right}, place {there}")

    if args.sheet:
        decoder = Autoencoder().eval()
        decoder.load_state_dict((load_state("sharp.pt") or load_state("autoencoder.pt"))["average"])
        scale = torch.load(FOLDER / "scale.pt")["overall"]
        pixels = torch.cat([decoder.decode(some * scale) for some in made.split(12)]).clamp(-1, 1)
        tiles = F.pad(((pixels + 1) * 127.5).round().byte(), (0, 2, 0, 2), value=255).permute(0, 2, 3, 1).numpy()
        rows = [np.concatenate(list(tiles[k : k + 10]), 1) for k in range(0, len(tiles), 10)]
        Image.fromarray(np.concatenate(rows, 0)).save(args.sheet)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    main()
