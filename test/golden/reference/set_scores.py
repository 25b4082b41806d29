"""FID, KID and Inception Score of given features by torch-fidelity 0.4 and scipy; Inception v3 of small random weights by torch.

Writes fixtures/sets/: features and statistics as NumPy saves them, `expected.json`, and `inception.safetensors` with the names of
pytorch-fid's file and few channels. `pip install torch-fidelity scipy` beside torch (without dependencies: it would replace torch).
"""

import json
from pathlib import Path

import numpy as np
import scipy.linalg
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

root = Path(__file__).parent.parent / "fixtures" / "sets"


def frechet(a, b):
    """pytorch-fid's calculate_frechet_distance, without its offset for singular products."""
    mu1, mu2, s1, s2 = a.mean(0), b.mean(0), np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(s1 @ s2)
    return float((mu1 - mu2) @ (mu1 - mu2) + np.trace(s1) + np.trace(s2) - 2 * np.trace(np.real(root)))


def features(seed, n, d, shift):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(d, d)) / np.sqrt(d)
    return np.maximum(rng.normal(size=(n, d)) @ mixing + shift, 0).astype(np.float32)


def drawn(seed, n, shift, d=200):
    """Features that the test draws itself, of more columns than linalg.ts takes together."""
    generator = torch.Generator().manual_seed(seed)
    x, mixing = (torch.randn(rows, d, generator=generator).double().numpy() for rows in (n, d))
    return np.maximum(x @ (mixing / np.sqrt(d)) + shift, 0)


def main():
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric

    root.mkdir(parents=True, exist_ok=True)
    a, b = features(1, 300, 24, 0.3), features(2, 260, 24, 0.5)
    few = features(3, 20, 24, 0.4)
    logits = np.random.default_rng(4).normal(size=(300, 10)).astype(np.float32) * 2
    np.savez_compressed(root / "a.npz", features=a, logits=logits)
    np.savez(root / "b.npz", features=b.astype(np.float64))
    np.save(root / "few.npy", few)
    np.savez_compressed(root / "b-statistics.npz", mu=b.mean(0, dtype=np.float64), sigma=np.cov(b, rowvar=False))

    def fid(x, y):
        stats = [fid_features_to_statistics(torch.from_numpy(v.astype(np.float64))) for v in (x, y)]
        return fid_statistics_to_metric(*stats, False)["frechet_inception_distance"]

    def kid(x, y, size):
        result = kid_features_to_metric(torch.from_numpy(x.astype(np.float64)), torch.from_numpy(y.astype(np.float64)), kid_subsets=100,
                                        kid_subset_size=size, kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1,
                                        rng_seed=2020, verbose=False, kid_kernel="poly")
        return [result["kernel_inception_distance_mean"], result["kernel_inception_distance_std"]]

    score = isc_features_to_metric(torch.from_numpy(logits))
    expected = dict(
        fid=fid(a, b), fidScipy=frechet(a.astype(np.float64), b.astype(np.float64)), fidFew=fid(few, b),
        kid=kid(a, b, 100), kidAll=kid(a, b, 260), kidFew=kid(few, b, 20),
        is_=[score["inception_score_mean"], score["inception_score_std"]],
        permutation=np.random.RandomState(2020).permutation(50).tolist(),
        nuclear=float(np.linalg.svd(few.astype(np.float64), compute_uv=False).sum()),
    )
    expected["inception"] = small_inception()
    expected["wide"] = [frechet(drawn(11, 300, 0.3), drawn(12, few, 0.4)) for few in (260, 120)]
    (root / "expected.json").write_text(json.dumps(expected) + "\n")


def small_inception():
    """Every layer of the network with few channels, so that the file is small; the blocks as pytorch-fid has them."""
    generator = torch.Generator().manual_seed(7)
    tensors = {}

    def conv(x, name, out, kernel=(1, 1), stride=1, padding=(0, 0)):
        weight = torch.randn(out, x.shape[1], *kernel, generator=generator) * (1.6 / (x.shape[1] * kernel[0] * kernel[1])) ** 0.5
        norm = dict(weight=1 + 0.2 * torch.randn(out, generator=generator), bias=0.2 * torch.randn(out, generator=generator),
                    running_mean=0.2 * torch.randn(out, generator=generator), running_var=0.5 + torch.rand(out, generator=generator))
        tensors[f"{name}.conv.weight"] = weight
        tensors.update({f"{name}.bn.{key}": value for key, value in norm.items()})
        y = F.conv2d(x, weight, stride=stride, padding=padding)
        return F.relu(F.batch_norm(y, norm["running_mean"], norm["running_var"], norm["weight"], norm["bias"], eps=0.001))

    average = lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    halve = lambda x: F.max_pool2d(x, 3, 2)
    square, wide, tall = dict(kernel=(3, 3), padding=(1, 1)), dict(kernel=(1, 7), padding=(0, 3)), dict(kernel=(7, 1), padding=(3, 0))
    flat, high = dict(kernel=(1, 3), padding=(0, 1)), dict(kernel=(3, 1), padding=(1, 0))

    def chain(x, *layers):
        for name, out, options in layers:
            x = conv(x, name, out, **options)
        return x

    def block_a(x, n):
        return torch.cat([conv(x, f"{n}.branch1x1", 3),
                          chain(x, (f"{n}.branch5x5_1", 2, {}), (f"{n}.branch5x5_2", 3, dict(kernel=(5, 5), padding=(2, 2)))),
                          chain(x, (f"{n}.branch3x3dbl_1", 2, {}), (f"{n}.branch3x3dbl_2", 3, square), (f"{n}.branch3x3dbl_3", 3, square)),
                          conv(average(x), f"{n}.branch_pool", 2)], 1)

    def block_b(x, n):
        doubled = chain(x, (f"{n}.branch3x3dbl_1", 2, {}), (f"{n}.branch3x3dbl_2", 3, square))
        return torch.cat([conv(x, f"{n}.branch3x3", 4, (3, 3), 2), conv(doubled, f"{n}.branch3x3dbl_3", 3, (3, 3), 2), halve(x)], 1)

    def block_c(x, n):
        return torch.cat([conv(x, f"{n}.branch1x1", 3),
                          chain(x, (f"{n}.branch7x7_1", 2, {}), (f"{n}.branch7x7_2", 2, wide), (f"{n}.branch7x7_3", 3, tall)),
                          chain(x, (f"{n}.branch7x7dbl_1", 2, {}), (f"{n}.branch7x7dbl_2", 2, tall), (f"{n}.branch7x7dbl_3", 2, wide),
                                (f"{n}.branch7x7dbl_4", 2, tall), (f"{n}.branch7x7dbl_5", 3, wide)),
                          conv(average(x), f"{n}.branch_pool", 3)], 1)

    def block_d(x, n):
        return torch.cat([conv(conv(x, f"{n}.branch3x3_1", 2), f"{n}.branch3x3_2", 3, (3, 3), 2),
                          conv(chain(x, (f"{n}.branch7x7x3_1", 2, {}), (f"{n}.branch7x7x3_2", 2, wide), (f"{n}.branch7x7x3_3", 2, tall)),
                               f"{n}.branch7x7x3_4", 3, (3, 3), 2), halve(x)], 1)

    def block_e(x, n, pool):
        single = conv(x, f"{n}.branch3x3_1", 3)
        doubled = chain(x, (f"{n}.branch3x3dbl_1", 3, {}), (f"{n}.branch3x3dbl_2", 3, square))
        return torch.cat([conv(x, f"{n}.branch1x1", 4), conv(single, f"{n}.branch3x3_2a", 3, **flat), conv(single, f"{n}.branch3x3_2b", 3, **high),
                          conv(doubled, f"{n}.branch3x3dbl_3a", 3, **flat), conv(doubled, f"{n}.branch3x3dbl_3b", 3, **high),
                          conv(pool(x), f"{n}.branch_pool", 4)], 1)

    pixels = (torch.sin(torch.arange(299) / 9.0)[None, :] * torch.cos(torch.arange(299) / 14.0)[:, None]).expand(1, 3, 299, 299)
    x = conv(pixels, "Conv2d_1a_3x3", 4, (3, 3), 2)
    x = conv(x, "Conv2d_2a_3x3", 4, (3, 3))
    x = halve(conv(x, "Conv2d_2b_3x3", 5, **square))
    x = conv(x, "Conv2d_3b_1x1", 4)
    x = halve(conv(x, "Conv2d_4a_3x3", 6, (3, 3)))
    for name in ["Mixed_5b", "Mixed_5c", "Mixed_5d"]:
        x = block_a(x, name)
    x = block_b(x, "Mixed_6a")
    for name in ["Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"]:
        x = block_c(x, name)
    x = block_d(x, "Mixed_7a")
    x = block_e(x, "Mixed_7b", average)
    x = block_e(x, "Mixed_7c", lambda x: F.max_pool2d(x, 3, 1, 1)).mean([2, 3])
    tensors["fc.weight"] = torch.randn(7, x.shape[1], generator=generator)
    tensors["fc.bias"] = torch.randn(7, generator=generator)
    save_file(tensors, root / "inception.safetensors", metadata={"format": "pt"})
    (root / "inception.safetensors").chmod(0o644)
    return dict(features=x[0].tolist(), logits=(x @ tensors["fc.weight"].T)[0].tolist())


if __name__ == "__main__":
    main()
