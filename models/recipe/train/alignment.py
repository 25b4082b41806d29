"""
REPA (Yu et al. 2024): while the U-Net learns, its features of a noisy picture also have to tell those that another network has of the
clean one; shapes are learnt sooner. Here MobileNetV2's (features.py), from the end of the deepest stage.
"""

import torch
from diffusers import UNet2DConditionModel
from torch import nn
from torch.nn import functional as F

from features import CHANNELS

WIDTH = 320  # of the deepest stage
WEIGHT = 0.25


class Aligned(nn.Module):
    """The U-Net with a small head that tells features by; the head is not shipped."""

    def __init__(self, unet: UNet2DConditionModel):
        super().__init__()
        self.unet = unet
        self.head = nn.Sequential(nn.Conv2d(WIDTH, 256, 1), nn.SiLU(), nn.Conv2d(256, CHANNELS, 1))
        self.deepest: list[torch.Tensor] = []
        unet.up_blocks[0].register_forward_hook(lambda _block, _inputs, output: self.deepest.append(output))

    def forward(self, noisy: torch.Tensor, t: torch.Tensor, context: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The U-Net's answer, and features [n,48,8,8]."""
        said = self.unet(noisy, t, context).sample
        return said, self.head(self.deepest.pop())


def misalignment(told: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """Less the mean cosine over all cells."""
    return -F.cosine_similarity(told.float(), features, dim=1).mean()
