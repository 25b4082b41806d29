"""Rewrites ../fixtures/coreml with coremltools: a file of weights, and a package of one small program with its results by numpy.

Our writer must give the same bytes for the same weights, and our reader must understand a package that Apple's own tool wrote.
Needs `pip install coremltools==9.0 safetensors`.
"""

import shutil
from pathlib import Path

import coremltools as ct
import numpy as np
from coremltools.converters.mil import Builder as mb
from coremltools.libmilstoragepython import _BlobStorageWriter
from safetensors.numpy import save_file

OUT = Path(__file__).parents[1] / "fixtures" / "coreml"
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir(parents=True)

writer = _BlobStorageWriter(str(OUT / "weight.bin"))
# The same numbers are in test/golden/coreml/blobFile.test.ts.
writer.write_fp16_data((np.arange(40, dtype=np.float32) / 8 - 2).astype(np.float16).view(np.uint16))
writer.write_float_data(np.arange(11, dtype=np.float32) / 3)
writer.write_fp16_data((np.arange(32, dtype=np.float32) / 3).astype(np.float16).view(np.uint16))
del writer

g = np.random.default_rng(1)
weight, bias = (g.standard_normal(s).astype(np.float32) for s in ((6, 4, 3, 3), (6,)))
matrix, offset = (g.standard_normal(s).astype(np.float32) for s in ((12, 6), (12,)))
gamma, beta = (g.standard_normal(6).astype(np.float32) for _ in range(2))


@mb.program(input_specs=[mb.TensorSpec(shape=(1, 4, 6, 6))], opset_version=ct.target.iOS16)
def program(x):
    y = mb.conv(x=x, weight=weight, bias=bias, strides=[2, 2], pad_type="custom", pad=[0, 1, 0, 1])
    y = mb.reshape(x=mb.transpose(x=y, perm=[0, 2, 3, 1]), shape=[9, 6])
    y = mb.layer_norm(x=y, axes=[-1], gamma=gamma, beta=beta, epsilon=np.float32(1e-5))
    y = mb.gelu(x=mb.linear(x=y, weight=matrix, bias=offset), mode="EXACT")
    z = mb.matmul(x=y, y=y, transpose_x=False, transpose_y=True)
    return mb.softmax(x=z, axis=-1, name="shares")


model = ct.convert(program, convert_to="mlprogram", minimum_deployment_target=ct.target.iOS16, skip_model_load=True,
                   compute_precision=ct.precision.FLOAT16)
model.save(str(OUT / "tiny.mlpackage"))


def erf(x):
    from math import erf as of

    return np.vectorize(of)(x)


half = lambda a: a.astype(np.float16).astype(np.float64)  # noqa: E731
x = half(g.standard_normal((1, 4, 6, 6)))
padded = np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 1)))
windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))[0, :, ::2, ::2]
y = np.einsum("chwkl,ockl->hwo", windows, half(weight)).reshape(9, 6) + half(bias)
y = (y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + 1e-5) * half(gamma) + half(beta)
y = y @ half(matrix).T + half(offset)
y = y * 0.5 * (1 + erf(y / np.sqrt(2)))
z = y @ y.T
z = np.exp(z - z.max(-1, keepdims=True))
save_file({"x": x.astype(np.float32), "shares": (z / z.sum(-1, keepdims=True)).astype(np.float32)}, OUT / "expected.safetensors")
print(program)
