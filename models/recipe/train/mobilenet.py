"""MobileNetV2 (width 1.4) as the product's scorer has it (src-main/engine/models/mobileNet.ts), to learn from its features."""

import json
import struct

import torch
from torch import nn
from torch.nn import functional as F

from paths import REPOSITORY

FILE = REPOSITORY / "resources" / "scorers" / "mobilenet-v2.safetensors"


def read_weights() -> tuple[dict[str, torch.Tensor], list[int]]:
    """The 8-bit tensors as numbers (q * scale + min), and the stride of each block."""
    raw = FILE.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    metadata = header.pop("__metadata__")
    scales = json.loads(metadata["quantization"])
    weights = {}
    for name, entry in header.items():
        start, end = (8 + length + at for at in entry["data_offsets"])
        q = torch.frombuffer(bytearray(raw[start:end]), dtype=torch.uint8).reshape(entry["shape"])
        weights[name] = q.float() * scales[name]["scale"] + scales[name]["min"]
    return weights, json.loads(metadata["config"])["strides"]


class MobileNet(nn.Module):
    """Pictures [b, 3, h, w] in -1…1 → the outputs of the blocks named in `taps`, frozen."""

    def __init__(self, taps: tuple[int, ...]):
        super().__init__()
        weights, self.strides = read_weights()
        self.taps = taps
        for name, value in weights.items():
            if value.ndim == 4:
                value = value.contiguous(memory_format=torch.channels_last)
            self.register_buffer(name.replace(".", "_"), value)

    def conv(self, name: str, x: torch.Tensor, stride: int = 1, groups: int = 1) -> torch.Tensor:
        weight, bias = getattr(self, f"{name}_weight"), getattr(self, f"{name}_bias")
        if weight.shape[-1] == 1:
            return F.conv2d(x, weight, bias)
        # TensorFlow's padding SAME of an even size.
        x = F.pad(x, (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1))
        return F.conv2d(x, weight, bias, stride, groups=groups)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        x = F.relu6(self.conv("first", x, 2))
        found = []
        for i, stride in enumerate(self.strides[: max(self.taps) + 1]):
            wide = F.relu6(self.conv(f"blocks_{i}_expand", x)) if hasattr(self, f"blocks_{i}_expand_weight") else x
            wide = F.relu6(self.conv(f"blocks_{i}_depthwise", wide, stride, wide.shape[1]))
            narrow = self.conv(f"blocks_{i}_project", wide)
            x = x + narrow if stride == 1 and x.shape == narrow.shape else narrow
            if i in self.taps:
                found.append(x)
        return found


def perceptual_distance(a: list[torch.Tensor], b: list[torch.Tensor]) -> torch.Tensor:
    """LPIPS (Zhang et al. 2018) without learnt weights: squared distance of features of unit length, per pixel."""
    return sum((F.normalize(p, dim=1) - F.normalize(q, dim=1)).square().sum(1).mean() for p, q in zip(a, b))
