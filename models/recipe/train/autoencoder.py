"""
Stage 1: the autoencoder (encoder.py, and the decoder of diffusers' AutoencoderKL), on crops. Latents are disturbed while the decoder learns, so that what the
U-Net errs by looks like softness. The decoder also has to make mirrored pictures of mirrored latents, so that latents can be
mirrored instead of encoded twice, and now and then shrunken ones of shrunken, which makes latents smooth (EQ-VAE: Kouzelis
et al. 2025). torch.compile gains nothing here.

    python autoencoder.py --minutes 11
    python autoencoder.py --minutes 30              # once there are latents: the decoder alone, so that they stay what they are
    python autoencoder.py --minutes 60 --sharpen    # likewise, half of it from the U-Net's latents (redrawn.py), with a patch
                                                    # discriminator that teaches it texture
"""

import argparse
import os
import time

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import nn
from torch.nn import functional as F

from encoder import LinearEncoder
from mobilenet import MobileNet, perceptual_distance
from paths import SIDE, WEIGHTS, load_state, save_state
from pictures import finished_shards, images

CONFIG = dict(
    in_channels=3,
    out_channels=3,
    latent_channels=8,
    down_block_types=["DownEncoderBlock2D"] * 4,
    up_block_types=["UpDecoderBlock2D"] * 4,
    block_out_channels=[32, 64, 128, 160],
    layers_per_block=1,
    norm_num_groups=8,
    sample_size=SIDE,
    mid_block_add_attention=False,
)
NOISE = 0.2  # strongest disturbance, in deviations of a latent
SHRUNK = 0.25  # share of steps with shrunken latents
JUDGED = 0.15  # what the discriminator's gradient weighs beside the error's (cf. Esser et al. 2021, section 3.1)
ALONE = 500  # steps in which the discriminator learns alone


class Crops:
    """Random crops and mirrorings of all pictures that are there; new shards join when they are finished."""

    def __init__(self, seed: int):
        self.random = np.random.default_rng(seed)
        self.refresh()

    def refresh(self) -> None:
        self.shards = [images(k) for k in finished_shards()]

    def batch(self, count: int, size: int) -> torch.Tensor:
        out = np.empty((count, size, size, 3), np.uint8)
        for row in range(count):
            shard = self.shards[self.random.integers(len(self.shards))]
            y, x = self.random.integers(0, SIDE - size + 1, 2)
            crop = shard[self.random.integers(len(shard)), y : y + size, x : x + size]
            out[row] = crop[:, ::-1] if self.random.random() < 0.5 else crop
        pictures = torch.from_numpy(out).permute(0, 3, 1, 2).float() / 127.5 - 1
        # Cameras differ in exposure, contrast and white balance more than the renderer does.
        gain = 1 + 0.12 * torch.randn(count, 3, 1, 1) * (torch.rand(count, 1, 1, 1) < 0.5)
        return (pictures * gain).clamp(-1, 1).contiguous(memory_format=torch.channels_last)

    def change(self, plain: bool):
        """What is done to latents and to the picture they should give: nothing, mirrored, shrunken, or both."""
        mirror, shrink = self.random.random() < 0.5, not plain and self.random.random() < SHRUNK

        def apply(x: torch.Tensor) -> torch.Tensor:
            x = x.flip(3) if mirror else x
            return (F.avg_pool2d(x, 2) if shrink else x).contiguous(memory_format=torch.channels_last)

        return apply


class Redrawn:
    """Crops of what the U-Net made of known pictures (redrawn.py), and of those pictures."""

    def __init__(self, seed: int):
        state = load_state("redrawn.pt")
        self.random = np.random.default_rng(seed)
        # As the encoder gives them: the U-Net's are divided by one number.
        self.latents = state["latents"].float() * float(torch.load(WEIGHTS / "latents" / "scale.pt")["overall"])
        self.places = state["places"]

    def batch(self, count: int, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Latents [count,8,size/8,size/8] and pictures [count,3,size,size]."""
        side, latents, pictures = size // 8, [], []
        for row in self.random.integers(len(self.places), size=count):
            y, x = self.random.integers(0, (SIDE - size) // 8 + 1, 2)
            shard, place = self.places[row]
            latents.append(self.latents[row, :, y : y + side, x : x + side])
            pictures.append(torch.from_numpy(images(shard)[place, 8 * y : 8 * y + size, 8 * x : 8 * x + size].copy()))
        shown = torch.stack(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
        return torch.stack(latents), shown.contiguous(memory_format=torch.channels_last)


class Autoencoder(nn.Module):
    """The encoder, the decoder, and what is done to latents between them."""

    def __init__(self):
        super().__init__()
        vae = AutoencoderKL(**CONFIG)
        self.encoder = LinearEncoder(CONFIG["latent_channels"])
        self.post_quant_conv, self.decoder = vae.post_quant_conv, vae.decoder

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.post_quant_conv(latents))

    def disturbed(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures [b,3,h,w] → latents [b,8,h/8,w/8] with noise of random strength."""
        latents = self.encoder(pictures).float()
        level = NOISE * torch.rand(len(latents), 1, 1, 1)
        # Relative to all latents, so that making them larger does not help.
        return latents + level * latents.detach().std() * torch.randn_like(latents)


class Discriminator(nn.Module):
    """PatchGAN (Isola et al. 2017), small: judges overlapping patches of about 34 pixels."""

    def __init__(self, width: int = 32):
        super().__init__()
        layers, inputs = [], 3
        for i, outputs in enumerate((width, 2 * width, 4 * width)):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1)]
            layers += [nn.GroupNorm(8, outputs)] if i else []
            layers += [nn.LeakyReLU(0.2)]
            inputs = outputs
        self.layers = nn.Sequential(*layers, nn.Conv2d(inputs, 1, 4, 1, 1))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.layers(pictures)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=11)
    parser.add_argument("--sharpen", action="store_true")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--crop", type=int, default=64)
    parser.add_argument("--rate", type=float, default=1e-3)
    return parser.parse_args()


def main() -> None:
    args = parse()
    torch.manual_seed(time.time_ns() % 2**31)
    name = "sharp.pt" if args.sharpen else "autoencoder.pt"
    model = Autoencoder().to(memory_format=torch.channels_last)
    judge = Discriminator().to(memory_format=torch.channels_last) if args.sharpen else None
    net = MobileNet((1, 3, 6)).eval()
    crops = Crops(time.time_ns() % 2**31)
    redrawn = Redrawn(time.time_ns() % 2**31) if args.sharpen else None
    state = load_state(name) or (load_state("autoencoder.pt") if args.sharpen else None)
    if state is None:
        model.encoder.fit(crops.batch(400, SIDE))
        state = {"step": 0}
    else:
        model.load_state_dict(state["model"])
    frozen = args.sharpen or (WEIGHTS / "latents").exists()
    model.encoder.requires_grad_(not frozen)
    groups = [dict(params=[*model.decoder.parameters(), *model.post_quant_conv.parameters()], factor=1.0)]
    groups += [] if frozen else [dict(params=[*model.encoder.parameters()], factor=0.1)]
    trained = [p for group in groups for p in group["params"]]
    optimizer = torch.optim.AdamW(groups, args.rate, (0.9, 0.99), weight_decay=1e-3, fused=True)
    judging = torch.optim.AdamW(judge.parameters(), 1e-3, (0.5, 0.9), fused=True) if judge else None
    if judge and "judge" in state:
        judge.load_state_dict(state["judge"])
        judging.load_state_dict(state["judging"])
    average = state.get("average") or {k: v.clone() for k, v in model.state_dict().items()}
    step, first, spent = state["step"], state["step"], 0.0
    limit = args.minutes * 60
    began = saved = shown = time.time()
    sums, counted = {}, 0
    while spent < limit:
        progress = spent / limit
        for group in optimizer.param_groups:
            group["lr"] = args.rate * group["factor"] * min(1, (step - first + 1) / 100, max(0.02, 2.5 * (1 - progress)))
        pictures = crops.batch(args.batch // 2 if redrawn else args.batch, args.crop)
        change = crops.change(frozen)
        with torch.autocast("cpu", torch.bfloat16):
            latents = model.disturbed(pictures)
            if redrawn:
                more, theirs = redrawn.batch(args.batch // 2, args.crop)
                latents, pictures = torch.cat([latents, more]), torch.cat([pictures, theirs])
            target = change(pictures)
            made = model.decode(change(latents)).float()
            seen = net(made)
            with torch.no_grad():
                wanted = net(target)
        errors = {
            "pixels": (made - target).abs().mean() + (made - target).square().mean(),
            "features": 0.1 * perceptual_distance([f.float() for f in seen], [f.float() for f in wanted]),
        }
        (slope,) = torch.autograd.grad(sum(errors.values()), made, retain_graph=True)
        if judge and step - first >= ALONE:
            with torch.autocast("cpu", torch.bfloat16):
                errors["judge"] = -judge(made).float().mean()
            (push,) = torch.autograd.grad(errors["judge"], made, retain_graph=True)
            slope = slope + JUDGED * slope.norm() / push.norm().clamp(min=1e-12) * push
        made.backward(slope)
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if judge:
            with torch.autocast("cpu", torch.bfloat16):
                real, fake = judge(target).float(), judge(made.detach()).float()
            loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
            judging.zero_grad(set_to_none=True)
            loss.backward()
            judging.step()
            errors["judging"] = loss
        decay = min(0.998, (step + 1) / (step + 20))
        with torch.no_grad():
            for key, value in model.state_dict().items():
                average[key].lerp_(value, 1 - decay)
        step += 1
        counted += 1
        errors["mse"] = (made.detach() - target).square().mean()
        for key, value in errors.items():
            sums[key] = sums.get(key, 0) + float(value.detach())
        now = time.time()
        spent += now - began
        began = now
        if now - shown > 30:
            figures = {key: round(value / counted, 4) for key, value in sums.items()}
            psnr = 10 * np.log10(4 / (sums["mse"] / counted))
            print(f"{step} {spent:.0f}s {args.batch * counted / (now - shown):.1f}/s psnr {psnr:.2f} {figures}", flush=True)
            sums, counted, shown = {}, 0, now
            crops.refresh()
        if now - saved > 180 or spent >= limit:
            state = {"step": step, "model": model.state_dict(), "average": average}
            if judge:
                state |= {"judge": judge.state_dict(), "judging": judging.state_dict()}
            save_state(state, name)
            saved = time.time()


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    main()
