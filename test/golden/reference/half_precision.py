"""python half_precision.py: torch's conversions between float32 and the 16-bit types, as digests.

Writes ../fixtures/tensor/half.json: SHA-256 of the little-endian results, any NaN written as the one given here, and
some single values to look at.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch

OUT = Path(__file__).parent.parent / "fixtures" / "tensor" / "half.json"


def digest(array: np.ndarray, nan: int) -> str:
    words = array.view({2: np.uint16, 4: np.uint32}[array.itemsize]).copy()
    words[np.isnan(array.view({2: np.float16, 4: np.float32}[array.itemsize]))] = nan
    return hashlib.sha256(words.tobytes()).hexdigest()


every = torch.arange(65536, dtype=torch.int32).to(torch.int16)
decoded = {kind: digest(every.view(dtype).float().numpy(), 0x7FC00000) for kind, dtype in (("f16", torch.float16), ("bf16", torch.bfloat16))}

# 200,000 arbitrary bit patterns: x ← 1664525·x + 1013904223 mod 2³², from 1.
pattern, patterns = 1, np.empty(200_000, dtype=np.uint32)
for i in range(len(patterns)):
    pattern = (1664525 * pattern + 1013904223) % 2**32
    patterns[i] = pattern
arbitrary = patterns.view(np.float32)

# What lies halfway between two neighbouring halves, with the float32 on either side, both signs.
halves = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float64)
above = np.append(halves[1:], 65536.0)
ties = ((halves + above) / 2).astype(np.float32).view(np.uint32)
around = np.stack([ties - 1, ties, ties + 1], 1).flatten()
around = np.concatenate([around, around | 0x80000000]).view(np.float32)

encode = lambda values: torch.from_numpy(values.copy()).half().numpy()
single = [0.0, -0.0, 1.0, 1 / 3, 65504.0, 65519.996, 65520.0, 1e30, -1e30, float("inf"), 2.0**-14, 2.0**-24, 2.0**-25, 2.0**-25 * 1.0001, -(2.0**-26), 1e-45]
OUT.parent.mkdir(exist_ok=True)
OUT.write_text(
    json.dumps(
        {
            "decoded": decoded,
            "encoded": {"arbitrary": digest(encode(arbitrary), 0x7E00), "aroundTies": digest(encode(around), 0x7E00)},
            "single": [[repr(x), int(encode(np.array([x], np.float32)).view(np.uint16)[0])] for x in single],
        },
        indent=1,
    )
    + "\n"
)
