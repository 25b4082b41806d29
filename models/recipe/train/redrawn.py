"""
Between stages 4 and 5: what the U-Net makes of pictures that are known. Latents are disturbed as if drawing had come that far, and
the U-Net draws them to their end. The decoder learns from them (autoencoder.py --sharpen) what the U-Net's flat places were.

    python redrawn.py --count 6000
"""

import argparse
import os

import numpy as np
import torch
from torch.nn import functional as F

from examples import Examples
from paths import WEIGHTS, load_state, save_state
from text import text_model
from unet import alphas, build, ddim_step, plain_attention

NAME = "redrawn.pt"
STARTS = (159, 239, 319, 399)  # timesteps; from the last on, about the outlines are kept
STEP = 40  # between timesteps, as the product draws


def redraw(model, latents: torch.Tensor, context: torch.Tensor, start: int) -> torch.Tensor:
    """DDIM without guidance, which the product ends before (likeness.json, guidanceStop) → latents."""
    bars = alphas()
    x = bars[start].sqrt() * latents + (1 - bars[start]).sqrt() * torch.randn_like(latents)
    x = x.contiguous(memory_format=torch.channels_last)
    for t in range(start, -1, -STEP):
        with torch.autocast("cpu", torch.bfloat16):
            v = model(x, torch.full((len(x),), t), context).sample.float()
        a, b = bars[t], bars[t - STEP] if t >= STEP else torch.tensor(1.0)
        x = ddim_step(x, v, a, b)
    return x


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=64)
    args = parser.parse_args()
    F.scaled_dot_product_attention = plain_attention
    torch.manual_seed(9)
    examples = Examples(9)
    text = text_model(examples.tokenizer).eval()
    text.load_state_dict(load_state("text.pt")["text"])
    model = build().to(memory_format=torch.channels_last).eval()
    model.load_state_dict(load_state("unet.pt")["average"])
    # Where a row of Examples lies among the pictures.
    places = [(shard, row) for shard in examples.numbers for row in range(len(examples.shards[shard][1]))]
    chosen, made = [], []
    for at in range(0, args.count, args.batch):
        rows = torch.randint(len(places), (args.batch,)).tolist()
        latents = examples.scaled(examples.levels[rows])
        ids = torch.tensor([examples.ids(examples.records[row]["captions"][0]) for row in rows])
        start = STARTS[at // args.batch % len(STARTS)]
        made.append(redraw(model, latents, text(ids).last_hidden_state, start).half())
        chosen += [places[row] for row in rows]
        if at // args.batch % 10 == 9:
            print(f"{len(chosen)} redrawn", flush=True)
            save_state({"latents": torch.cat(made), "places": chosen}, NAME)
    save_state({"latents": torch.cat(made), "places": chosen}, NAME)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    main()
