"""
The U-Net's loss on pictures that it is not trained on (examples.py, KEPT), with the averaged weights and always the same noise, at six
timesteps: what runs are compared by.

    python held_loss.py [--pictures 320]
"""

import argparse
import os

import torch
from torch.nn import functional as F

from examples import Examples
from paths import load_state
from text import text_model
from unet import alphas, build, plain_attention

TIMES = (150, 300, 450, 600, 750, 900)


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=320)
    count = parser.parse_args().pictures
    F.scaled_dot_product_attention = plain_attention
    examples = Examples(1)
    latents, records = examples.kept(count)
    text = text_model(examples.tokenizer).eval()
    text.load_state_dict(load_state("text.pt")["text"])
    context = text(torch.tensor([examples.ids(r["captions"][0]) for r in records])).last_hidden_state
    state = load_state("unet.pt")
    model = build().to(memory_format=torch.channels_last).eval()
    model.load_state_dict(state["average"])
    generator = torch.Generator().manual_seed(1)
    losses = []
    for t in TIMES:
        a = alphas()[t]
        noise = torch.randn(latents.shape, generator=generator)
        noisy, velocity = a.sqrt() * latents + (1 - a).sqrt() * noise, a.sqrt() * noise - (1 - a).sqrt() * latents
        errors = []
        for some, goal, words in zip(noisy.split(64), velocity.split(64), context.split(64)):
            with torch.autocast("cpu", torch.bfloat16):
                said = model(some.contiguous(memory_format=torch.channels_last), torch.full((len(some),), t), words).sample
            errors.append((said.float() - goal).square().mean((1, 2, 3)))
        losses.append(float(torch.cat(errors).mean()))
    print(f"after {state['seen']}:", *(f"{loss:.4f}" for loss in losses), f"mean {sum(losses) / len(losses):.4f}")


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    main()
