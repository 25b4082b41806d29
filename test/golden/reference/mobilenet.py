"""MobileNetV2's features by torch, from npm nsfwjs's own files, for ../fixtures/scorers/mobilenet.safetensors.

    python mobilenet.py NSFWJS/dist/models/mobilenet_v2_mid

Walks TensorFlow.js's graph node by node (its names, its NHWC layout, its padding rule), in float64: nothing is shared with the
converted file that the product reads. Keys: `pictures` [2,224,224,3] uint8, `features` [2,1792] float32.
"""

import base64
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file


def load(folder: Path):
    script = "process.stdout.write(JSON.stringify(require(process.argv[1])))"
    read = lambda name: json.loads(subprocess.check_output(["node", "-e", script, str(folder / f"{name}.min.js")]))
    model = read("model")
    manifest = model["weightsManifest"][0]
    blob = b"".join(base64.b64decode(read(path)) for path in manifest["paths"])
    weights, at = {}, 0
    for weight in manifest["weights"]:
        size = int(np.prod(weight["shape"]))
        q = np.frombuffer(blob, np.uint8, size, at).astype(np.float64)
        at += size
        values = q * weight["quantization"]["scale"] + weight["quantization"]["min"]
        weights[weight["name"]] = torch.from_numpy(values.reshape(weight["shape"]))
    return model["modelTopology"]["node"], weights


def same_padding(x, kernel, stride):
    """TensorFlow's SAME: as much as the last window lacks, the odd pixel at the far edge."""
    pads = []
    for length in (x.shape[3], x.shape[2]):
        total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def features(nodes, weights, pictures):
    values = dict(weights)
    for node in nodes:
        name, op = node["name"], node["op"]
        inputs = [values.get(i) for i in node.get("input", [])]
        attr = node.get("attr", {})
        if op == "Placeholder":
            values[name] = pictures
        elif op in ("Mul", "Sub", "AddV2"):
            a, b = inputs
            values[name] = a * b if op == "Mul" else a - b if op == "Sub" else a + b
        elif op in ("_FusedConv2D", "FusedDepthwiseConv2dNative"):
            x, weight, bias = inputs[0].permute(0, 3, 1, 2), inputs[1], inputs[2]
            stride = int(attr["strides"]["list"]["i"][1])
            depthwise = op != "_FusedConv2D"
            kernel = weight.permute(2, 3, 0, 1) if depthwise else weight.permute(3, 2, 0, 1)
            y = F.conv2d(same_padding(x, kernel.shape[2], stride), kernel, bias, stride, groups=x.shape[1] if depthwise else 1)
            fused = decoded(attr["fused_ops"]["list"]["s"])
            values[name] = (y.clamp(0, 6) if "Relu6" in fused else y).permute(0, 2, 3, 1)
        elif op == "AvgPool":
            return inputs[0].mean((1, 2))
    raise SystemExit("the graph has no AvgPool")


def decoded(encoded):
    return [base64.b64decode(name).decode() for name in encoded]


def main():
    nodes, weights = load(Path(sys.argv[1]))
    generator = np.random.default_rng(7)
    coarse = torch.from_numpy(generator.random((2, 3, 9, 9)) * 255)
    smooth = F.interpolate(coarse, (224, 224), mode="bicubic").clamp(0, 255).round()
    noisy = (smooth + torch.from_numpy(generator.normal(0, 6, smooth.shape))).clamp(0, 255).round()
    pictures = noisy.permute(0, 2, 3, 1).contiguous()
    found = features(nodes, weights, pictures / 255)
    target = Path(__file__).parent.parent / "fixtures" / "scorers" / "mobilenet.safetensors"
    save_file({"pictures": pictures.numpy().astype(np.uint8), "features": found.numpy().astype(np.float32)}, target)
    print(target, found.shape, float(found.std()), float(F.cosine_similarity(found[:1], found[1:])))


main()
