"""
Stage 4: the U-Net, from latents and captions; the text encoder stays as stage 3 left it. v-prediction (Salimans and Ho 2022) with
zero terminal SNR (Lin et al. 2024), a caption in ten left empty for guidance. Runs until it is stopped and goes on where it was.

    python unet.py --hours 2.5 --compile
    python unet.py --hours 0.15 --device cuda --batch 512    # on a GPU: pack.py says how everything gets there and back
"""

import argparse
import math
import os
import signal
import time

import torch
from diffusers import UNet2DConditionModel

from alignment import WEIGHT, Aligned, misalignment
from muon import Muon
from paths import load_state, save_state
from text import WIDTH

CONFIG = dict(
    sample_size=16,
    in_channels=8,
    out_channels=8,
    down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    mid_block_type=None,
    up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    block_out_channels=[96, 192, 320],
    layers_per_block=1,
    attention_head_dim=4,  # the number of heads, in spite of its name
    cross_attention_dim=WIDTH,
    norm_num_groups=16,
    use_linear_projection=True,
)
SCHEDULER = dict(
    _class_name="DDIMScheduler",
    num_train_timesteps=1000,
    beta_start=0.00085,
    beta_end=0.012,
    beta_schedule="scaled_linear",
    prediction_type="v_prediction",
    timestep_spacing="trailing",
    rescale_betas_zero_snr=True,
    set_alpha_to_one=True,
    steps_offset=1,
    clip_sample=False,
)
EMPTY = 0.1


def alphas() -> torch.Tensor:
    """Cumulative products [1000] with zero terminal SNR: Lin et al. 2024, algorithm 1."""
    betas = torch.linspace(SCHEDULER["beta_start"] ** 0.5, SCHEDULER["beta_end"] ** 0.5, 1000).double().square()
    root = (1 - betas).cumprod(0).sqrt()
    return ((root - root[-1]) * root[0] / (root[0] - root[-1])).square().float()


def ddim_step(x: torch.Tensor, v: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """From latents with the cumulative product `a` and their predicted v to those with `b`: DDIM, Song et al. 2021, without noise."""
    clean, noise = a.sqrt() * x - (1 - a).sqrt() * v, a.sqrt() * v + (1 - a).sqrt() * x
    return b.sqrt() * clean + (1 - b).sqrt() * noise


def draw_timesteps(count: int, generator: torch.Generator) -> torch.Tensor:
    """
    Most where noise becomes shapes, fewer at either end: logit-normal (Esser et al. 2024, section 3.1), and a fifth of them uniform.
    Each batch has them evenly spread, so that losses of batches differ less.
    """

    def spread(n: int) -> torch.Tensor:
        return (torch.arange(n) + torch.rand(n, generator=generator)) / n

    uniform, normal = spread(count // 5), torch.special.ndtri(spread(count - count // 5))
    return (1000 * torch.cat([uniform, torch.sigmoid(0.4 + 1.1 * normal)])).long().clamp(max=999)


def build() -> UNet2DConditionModel:
    return UNet2DConditionModel(**CONFIG)


def plain_attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    """softmax(qk/√d)v for [b,heads,tokens,d]. With 64 tokens at most, this is faster on a CPU than torch's tiled one, by a tenth of a step."""
    b, heads, tokens, d = q.shape
    scores = torch.bmm(q.reshape(b * heads, tokens, d) * d**-0.5, k.reshape(b * heads, -1, d).transpose(1, 2))
    return torch.bmm(scores.softmax(-1).to(v.dtype), v.reshape(b * heads, -1, d)).view(b, heads, tokens, d)


class Average:
    """Exponential moving average of the weights; its memory grows with the run (Karras et al. 2024), up to `longest` examples."""

    def __init__(self, model, stored: dict | None, longest: int = 150_000):
        self.values = stored or {k: v.detach().clone().float() for k, v in model.state_dict().items()}
        self.longest = longest

    @torch.no_grad()
    def update(self, model, batch: int, seen: int) -> None:
        share = batch / min(self.longest, batch + seen / 10)
        own = model.state_dict()
        torch._foreach_lerp_([self.values[k] for k in own], [v.float() for v in own.values()], share)


class Optimizers:
    """Muon for the matrices; AdamW for norms and biases, the first and last layers, what reads the timestep, and the alignment's head."""

    def __init__(self, model, head, rate: float):
        matrices, rest = [], []
        for name, p in model.named_parameters():
            outer = name.startswith(("conv_in", "conv_out", "time_embedding"))
            (rest if outer or p.ndim < 2 else matrices).append(p)
        rest += head.parameters()
        self.both = [Muon(matrices, rate), torch.optim.AdamW(rest, rate / 2, (0.9, 0.99), weight_decay=0.0, fused=True)]
        self.rates = [rate, rate / 2]

    def step(self, share: float) -> None:
        """One step at `share` of the full rates."""
        for optimizer, rate in zip(self.both, self.rates):
            for group in optimizer.param_groups:
                group["lr"] = rate * share
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state(self) -> list[dict]:
        return [optimizer.state_dict() for optimizer in self.both]

    def load(self, states: list[dict]) -> None:
        for optimizer, state in zip(self.both, states):
            optimizer.load_state_dict(state)


def share_at(step: int, args) -> float:
    """Of the full rate: warm-up, then all; with --cool, down to a twentieth along the square root over what is left of the hours."""
    warm = min(1, (step + 1) / 100)
    if not args.cool:
        return warm
    done = min(1.0, (time.time() - args.began) / (args.hours * 3600))
    return warm * max(0.05, 1 - math.sqrt(done))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=3)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-3, help="Muon's; AdamW has half of it")
    parser.add_argument("--cool", action="store_true", help="lower the rate to the end of the hours: the last run before shipping")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true", help="an eighth faster; takes two minutes first")
    parser.add_argument("--save-minutes", type=float, default=4)
    args = parser.parse_args()
    args.began = time.time()
    device = torch.device(args.device)
    if args.device == "cpu":
        torch.nn.functional.scaled_dot_product_attention = plain_attention
    state = load_state("unet.pt") or {"step": 0, "seen": 0, "seconds": 0.0}
    step, seen, seconds = state["step"], state["seen"], state["seconds"]
    torch.manual_seed(1000 + seen)

    from examples import Examples
    from text import text_model

    examples = Examples(1000 + seen, args.device)
    examples.open_features()
    text = text_model(examples.tokenizer).to(device).eval().requires_grad_(False)
    text.load_state_dict(load_state("text.pt")["text"])
    model = build()
    if "model" in state:
        model.load_state_dict(state["model"])
    model = model.to(device, memory_format=torch.channels_last).train()
    aligned = Aligned(model).to(device, memory_format=torch.channels_last)
    if "head" in state:
        aligned.head.load_state_dict(state["head"])
    run = torch.compile(aligned) if args.compile else aligned
    optimizers = Optimizers(model, aligned.head, args.rate)
    if "optimizers" in state:
        optimizers.load(state["optimizers"])
    average = Average(model, state.get("average"))
    alpha_bars = alphas().to(device)
    contexts: dict[tuple, torch.Tensor] = {}
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))

    @torch.no_grad()
    def hidden(ids: torch.Tensor) -> torch.Tensor:
        """The text encoder is frozen, so each wording goes through it once."""
        keys = [tuple(row) for row in ids.tolist()]
        fresh = list({key for key in keys if key not in contexts})
        if fresh:
            for key, value in zip(fresh, text(torch.tensor(fresh, device=device)).last_hidden_state):
                contexts[key] = value.to(torch.bfloat16)
        return torch.stack([contexts[key] for key in keys])

    shown = saved = last = time.time()
    since, losses, cosines = 0, 0.0, 0.0
    while True:
        drawn, ids = examples.batch(args.batch, EMPTY)
        latents = drawn.latents
        context = hidden(ids)
        t = draw_timesteps(args.batch, examples.generator).to(device)
        noise = torch.randn_like(latents)
        a = alpha_bars[t].view(-1, 1, 1, 1)
        noisy = a.sqrt() * latents + (1 - a).sqrt() * noise
        velocity = a.sqrt() * noise - (1 - a).sqrt() * latents
        with torch.autocast(args.device, torch.bfloat16):
            said, told = run(noisy.contiguous(memory_format=torch.channels_last), t, context)
        loss = (said.float() - velocity).square().mean()
        apart = misalignment(told, examples.features_of(drawn))
        (loss + WEIGHT * apart).backward()
        torch.nn.utils.clip_grad_norm_(aligned.parameters(), 1.0)
        optimizers.step(share_at(step, args))
        average.update(model, args.batch, seen)
        step += 1
        seen += args.batch
        since += args.batch
        losses += float(loss.detach()) * args.batch
        cosines -= float(apart.detach()) * args.batch
        now = time.time()
        seconds += now - last
        last = now
        done = bool(stop) or now - args.began > args.hours * 3600
        if now - shown > 60 or done:
            rate = since / (now - shown)
            print(f"{time.strftime('%H:%M')} step {step} seen {seen} loss {losses / since:.4f} cosine {cosines / since:.3f} {rate:.1f}/s", flush=True)
            shown, since, losses, cosines = now, 0, 0.0, 0.0
        if now - saved > args.save_minutes * 60 or done:
            kept = {"step": step, "seen": seen, "seconds": seconds, "model": model.state_dict(), "head": aligned.head.state_dict()}
            save_state(kept | {"average": average.values, "optimizers": optimizers.state()}, "unet.pt")
            saved = last = time.time()
        if done:
            return


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    main()
