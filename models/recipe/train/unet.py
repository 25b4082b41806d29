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


def draw_timesteps(count: int, generator: torch.Generator) -> torch.Tensor:
    """Most where noise becomes shapes, fewer at either end: logit-normal (Esser et al. 2024, section 3.1), and some uniform ones."""
    t = torch.sigmoid(0.4 + 1.1 * torch.randn(count, generator=generator))
    uniform = torch.rand(count, generator=generator)
    return (1000 * torch.where(torch.rand(count, generator=generator) < 0.2, uniform, t)).long()


def build() -> UNet2DConditionModel:
    return UNet2DConditionModel(**CONFIG)


def plain_attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    """softmax(qk/√d)v for [b,heads,tokens,d]. With 64 tokens at most, this is faster on a CPU than torch's tiled one, by a tenth of a step."""
    b, heads, tokens, d = q.shape
    scores = torch.bmm(q.reshape(b * heads, tokens, d) * d**-0.5, k.reshape(b * heads, -1, d).transpose(1, 2))
    return torch.bmm(scores.softmax(-1).to(v.dtype), v.reshape(b * heads, -1, d)).view(b, heads, tokens, d)


class Average:
    """Exponential moving average of the weights; its memory grows with the run (Karras et al. 2024), up to `longest` steps."""

    def __init__(self, model, stored: dict | None, longest: int = 4000):
        self.values = stored or {k: v.detach().clone().float() for k, v in model.state_dict().items()}
        self.longest = longest

    @torch.no_grad()
    def update(self, model, step: int) -> None:
        share = 1 / min(self.longest, 1 + step / 10)
        own = model.state_dict()
        torch._foreach_lerp_([self.values[k] for k in own], [v.float() for v in own.values()], share)


def rate_at(step: int, args) -> float:
    """Warm-up, then constant; with --cool, down to a twentieth along the square root over what is left of the hours."""
    warm = args.rate * min(1, (step + 1) / 200)
    if not args.cool:
        return warm
    done = min(1.0, (time.time() - args.began) / (args.hours * 3600))
    return warm * max(0.05, 1 - math.sqrt(done))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=3)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=1e-3)
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
    torch.manual_seed(1000 + step)

    from examples import Examples
    from text import text_model

    examples = Examples(1000 + step, args.device)
    text = text_model(examples.tokenizer).to(device).eval().requires_grad_(False)
    text.load_state_dict(load_state("text.pt")["text"])
    model = build()
    if "model" in state:
        model.load_state_dict(state["model"])
    model = model.to(device, memory_format=torch.channels_last).train()
    run = torch.compile(model) if args.compile else model
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    groups = [dict(params=decayed, weight_decay=1e-2), dict(params=plain, weight_decay=0.0)]
    optimizer = torch.optim.AdamW(groups, args.rate, (0.9, 0.99), fused=True)
    if "optimizer" in state:
        optimizer.load_state_dict(state["optimizer"])
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
    since, losses = 0, 0.0
    while True:
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, args)
        latents, ids = examples.batch(args.batch, EMPTY)
        context = hidden(ids)
        t = draw_timesteps(args.batch, examples.generator).to(device)
        noise = torch.randn_like(latents)
        a = alpha_bars[t].view(-1, 1, 1, 1)
        noisy = a.sqrt() * latents + (1 - a).sqrt() * noise
        velocity = a.sqrt() * noise - (1 - a).sqrt() * latents
        with torch.autocast(args.device, torch.bfloat16):
            said = run(noisy.contiguous(memory_format=torch.channels_last), t, context).sample
        loss = (said.float() - velocity).square().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        average.update(model, step)
        step += 1
        seen += args.batch
        since += args.batch
        losses += float(loss.detach()) * args.batch
        now = time.time()
        seconds += now - last
        last = now
        done = bool(stop) or now - args.began > args.hours * 3600
        if now - shown > 60 or done:
            rate = since / (now - shown)
            print(f"{time.strftime('%H:%M')} step {step} seen {seen} loss {losses / since:.4f} {rate:.1f}/s", flush=True)
            shown, since, losses = now, 0, 0.0
        if now - saved > args.save_minutes * 60 or done:
            kept = {"step": step, "seen": seen, "seconds": seconds, "model": model.state_dict()}
            save_state(kept | {"average": average.values, "optimizer": optimizer.state_dict()}, "unet.pt")
            examples.refresh()
            saved = last = time.time()
        if done:
            return


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    main()
