"""torch's CPU generator: randn, rand, randint and randperm in turn, for every size class and unusual seeds.

Writes fixtures/random/random.f32: all values as f32, in the order that random.test.ts draws them.
"""

from pathlib import Path

import numpy as np
import torch

SEEDS = [7, 0, 1234, 2**64 - 1, -5, 2**40 + 3]
SIZES = [*range(1, 41), 64, 100, 1024, 16384]


def main():
    drawn = []
    for seed in SEEDS:
        generator = torch.Generator("cpu").manual_seed(seed)
        # The large ones once: they say nothing new for another seed.
        for size in SIZES if seed == SEEDS[0] else SIZES[:-2]:
            drawn.append(torch.randn(size, generator=generator))
        drawn.append(torch.rand(5, generator=generator))
        drawn.append(torch.randint(0, 1000, (5,), generator=generator))
        drawn.append(torch.randperm(50, generator=generator))
        drawn.append(torch.randn(3, generator=generator))
        drawn.append(torch.rand(70, generator=generator))
        drawn.append(torch.randn(2, generator=generator))
    values = np.concatenate([tensor.float().numpy() for tensor in drawn])
    out = Path(__file__).parent.parent / "fixtures" / "random"
    out.mkdir(parents=True, exist_ok=True)
    values.astype("<f4").tofile(out / "random.f32")
    print(len(values), "values")


main()
