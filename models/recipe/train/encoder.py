"""
The autoencoder's encoder is linear: three convolutions of stride 2, which begin as the principal axes of 8x8 patches and are then
trained together with the decoder, so that patches come to overlap. That costs next to nothing, and on one core a deep encoder
learnt from nothing had not even found the colours when this one was done.
"""

import torch
from torch import nn
from torch.nn import functional as F


class LinearEncoder(nn.Module):
    """Pictures [b,3,h,w] in -1…1 → latents [b,channels,h/8,w/8]."""

    def __init__(self, channels: int):
        super().__init__()
        widths = (3, 12, 48, channels)
        self.halvings = nn.ModuleList(nn.Conv2d(i, o, 3, 2, bias=False) for i, o in zip(widths, widths[1:]))
        self.offset = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # Padded below and to the right, as diffusers' Downsample2D of an encoder does.
        for halving in self.halvings:
            x = halving(F.pad(x, (0, 1, 0, 1)))
        return x - self.offset.view(-1, 1, 1)

    @torch.no_grad()
    def fit(self, pictures: torch.Tensor) -> None:
        """Principal axes of 2x2 blocks, three times. A channel keeps the root of its axis's deviation: neither drowned nor as loud as the coarse."""
        x = pictures
        for level, halving in enumerate(self.halvings):
            blocks = F.unfold(x, 2, stride=2).transpose(1, 2).flatten(0, 1).double()
            mean = blocks.mean(0)
            values, axes = torch.linalg.eigh((blocks - mean).T @ (blocks - mean) / len(blocks))
            rows = axes.T.flip(0)[: halving.out_channels]
            if level == 2:
                deviations = values.flip(0)[: halving.out_channels].clamp(min=1e-8).sqrt()
                rows = rows / (deviations.sqrt() * deviations.mean().sqrt()).unsqueeze(1)
                self.offset.copy_(rows @ mean)
            halving.weight.zero_()
            halving.weight[:, :, :2, :2] = rows.view(halving.out_channels, -1, 2, 2).float()
            x = halving(F.pad(x, (0, 1, 0, 1)))


POSTERIOR_LOGVAR = -6.0  # everywhere: a deviation of a twentieth of the latents'
BEFORE_NORM = 0.02  # size of the latents before the last norm, beside the ±1 that fix its scale


@torch.no_grad()
def write_into(vae, encoder: LinearEncoder, mean: torch.Tensor) -> None:
    """
    The same encoder, `mean` [channels] subtracted, as the weights of an AutoencoderKL's: the halvings are its stride-2 convolutions,
    residual branches are zero. The last norm would rescale every picture: two channels of each group at ±1 (biases of the last
    shortcut) outweigh the rest, so its scale is fixed. SiLU comes after it: each latent goes through as a pair,
    silu(x) - silu(-x) = x.
    """
    target = vae.encoder
    latents, groups = vae.config.latent_channels, vae.config.norm_num_groups
    per_group = vae.config.block_out_channels[-1] // groups
    place = [(k % groups) * per_group + 2 + 2 * (k // groups) for k in range(latents)]
    for name, parameter in target.named_parameters():
        parameter.fill_(1.0) if name.endswith("weight") and "norm" in name else parameter.zero_()
    for c in range(3):
        target.conv_in.weight[c, c, 1, 1] = 1
    for block, halving in zip(target.down_blocks, encoder.halvings):
        o, i = halving.weight.shape[:2]
        block.downsamplers[0].conv.weight[:o, :i] = halving.weight
        shortcut = block.resnets[0].conv_shortcut
        if shortcut is not None:
            for c in range(min(shortcut.weight.shape[:2])):
                shortcut.weight[c, c, 0, 0] = 1
    shortcut = target.down_blocks[-1].resnets[0].conv_shortcut
    shortcut.weight.zero_()
    for g in range(groups):
        shortcut.bias[g * per_group] = 1
        shortcut.bias[g * per_group + 1] = -1
    back = (2 / per_group) ** 0.5 / BEFORE_NORM  # the ±1 alone give a variance of 2 / per_group
    for k, at in enumerate(place):
        for sign, channel in ((1, at), (-1, at + 1)):
            shortcut.weight[channel, k, 0, 0] = sign * BEFORE_NORM
            shortcut.bias[channel] = -sign * BEFORE_NORM * (encoder.offset[k] + mean[k])
            target.conv_out.weight[k, channel, 1, 1] = sign * back
    target.conv_out.bias[latents:] = POSTERIOR_LOGVAR
    vae.quant_conv.weight.copy_(torch.eye(2 * latents).view(2 * latents, 2 * latents, 1, 1))
    vae.quant_conv.bias.zero_()
