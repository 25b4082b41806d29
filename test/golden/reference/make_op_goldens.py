"""python make_op_goldens.py: every operation of the graph IR, its gradient and, for some, its second derivative.

Writes ../fixtures/ops/ops.safetensors. Keys start with "<op>/<case>/":
  in<i>      the inputs (float32 or int64)
  out        the result, computed in float64
  cotangent  what the result is multiplied with, element by element; the scalar f is the sum of that
  grad<i>    df/d in<i>
  second<i>  d(½·Σ‖grad‖²)/d in<i>
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

OUT = Path(__file__).parent.parent / "fixtures" / "ops" / "ops.safetensors"
generator = torch.Generator().manual_seed(7)
tensors: dict[str, torch.Tensor] = {}


def rand(*shape, low=-1.5, high=1.5, gap=0.0):
    """Uniform values; `gap` keeps them away from zero, where a function has a corner."""
    x = torch.rand(shape, generator=generator) * (high - low) + low
    return torch.where(x >= 0, x + gap, x - gap)


def apart(*shape):
    """Values no two of which are close: where the order matters, no small step changes it."""
    count = torch.Size(shape).numel()
    return (torch.randperm(count, generator=generator).float().reshape(shape) - count / 2) * 0.25


def ids(*shape, below):
    return torch.randint(0, below, shape, generator=generator)


def case(name, function, *inputs, second=False, smooth=None):
    """`smooth`: which inputs get gradients; all float ones when left out, () for none."""
    smooth = [i for i, x in enumerate(inputs) if x.is_floating_point()] if smooth is None else smooth
    exact = [x.double().requires_grad_(i in smooth) if x.is_floating_point() else x for i, x in enumerate(inputs)]
    out = function(*exact)
    for i, x in enumerate(inputs):
        tensors[f"{name}/in{i}"] = x
    tensors[f"{name}/out"] = out.to(torch.uint8) if out.dtype == torch.bool else out.detach().float() if out.is_floating_point() else out
    if not smooth:
        return
    cotangent = rand(*out.shape)
    tensors[f"{name}/cotangent"] = cotangent
    grads = torch.autograd.grad((out * cotangent.double()).sum(), [exact[i] for i in smooth], create_graph=second)
    for i, grad in zip(smooth, grads):
        tensors[f"{name}/grad{i}"] = grad.detach().float()
    if not second:
        return
    energy = sum((grad**2).sum() for grad in grads) / 2
    for i, grad in zip(smooth, torch.autograd.grad(energy, [exact[i] for i in smooth], allow_unused=True)):
        if grad is not None:
            tensors[f"{name}/second{i}"] = grad.float()


def conv(stride, padding):
    top, left, bottom, right = padding
    return lambda x, w, b=None: F.conv2d(F.pad(x, (left, right, top, bottom)), w, b, stride=stride)


def gradient_of_conv(wrt, shape, stride, padding):
    """conv2dInputGradient (x is missing) or conv2dWeightGradient (w is missing): linear in what is missing, so zeros do."""

    def function(first, second):
        missing = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
        x, w, g = (missing, second, first) if wrt == "x" else (first, missing, second)
        (grad,) = torch.autograd.grad((conv(stride, padding)(x, w) * g).sum(), missing, create_graph=True)
        return grad

    return function


def attention(heads, scale, causal):
    def function(q, k, v):
        split = lambda x: x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)
        scores = split(q) @ split(k).transpose(-1, -2) * scale
        if causal:
            scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1), -torch.inf)
        return (scores.softmax(-1) @ split(v)).transpose(1, 2).reshape(q.shape)

    return function


def gradient_of(function):
    """attentionGradient: (q, k, v, output, its gradient) to the gradients of q, k, v, joined along axis 1."""

    def joined(q, k, v, _, gradient):
        inputs = [x.detach().requires_grad_() for x in (q, k, v)]
        return torch.cat(torch.autograd.grad((function(*inputs) * gradient).sum(), inputs), 1)

    return joined


def matmul(trans_a, trans_b, scale):
    t = lambda x, on: x.transpose(-1, -2) if on else x
    return lambda a, b: t(a, trans_a) @ t(b, trans_b) * scale


def gemm(trans_a, trans_b):
    return lambda a, b, c=0: matmul(trans_a, trans_b, 1)(a, b) + c


def upsample(factor):
    return lambda x: F.interpolate(x, scale_factor=factor, mode="nearest")


def scatter_add(rows):
    return lambda i, u: torch.zeros(rows, u.shape[-1], dtype=u.dtype).index_add(0, i.flatten(), u.reshape(-1, u.shape[-1]))


def leaves_and_elementwise():
    for op in ("input", "parameter", "constant"):
        case(f"{op}/plain", lambda x: x * 1, rand(2, 3), smooth=() if op == "constant" else None)
    signed = {"neg": torch.neg, "exp": torch.exp, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "sin": torch.sin,
              "cos": torch.cos, "erf": torch.erf, "gelu": F.gelu}  # fmt: skip
    for op, function in signed.items():
        case(f"{op}/plain", function, rand(3, 5, low=-3, high=3), second=op != "neg")
    for op, function in {"log": torch.log, "sqrt": torch.sqrt, "reciprocal": torch.reciprocal}.items():
        case(f"{op}/plain", function, rand(3, 5, low=0.4, high=3), second=True)
    case("reciprocal/negative", torch.reciprocal, rand(4, low=-3, high=-0.4), second=True)
    case("relu/plain", F.relu, rand(3, 5, gap=0.2))
    case("swish/silu", F.silu, rand(3, 5, low=-4, high=4), second=True)
    case("swish/quick", lambda x: x * torch.sigmoid(1.702 * x), rand(2, 3, 4, low=-4, high=4), second=True)
    case("cast/toIntegers", lambda x: x.long(), apart(2, 5), smooth=())
    case("cast/toFloat", lambda x: x.double(), ids(2, 5, below=9), smooth=())
    case("cast/throughHalf", lambda x: x.half().double(), rand(2, 5))
    for op, function in {"add": torch.add, "sub": torch.sub, "mul": torch.mul}.items():
        for name, a, b in (("same", (2, 3), (2, 3)), ("rows", (2, 3, 4), (3, 1)), ("both", (4, 1, 3), (2, 1)), ("scalar", (), (2, 3))):
            case(f"{op}/{name}", function, rand(*a), rand(*b), second=op == "mul")
    case("div/same", torch.div, rand(2, 3), rand(2, 3, gap=0.5), second=True)
    case("div/both", torch.div, rand(4, 1, 3), rand(2, 1, gap=0.5), second=True)
    case("div/byScalar", torch.div, rand(2, 3), rand(gap=0.5), second=True)
    case("less/both", torch.lt, rand(4, 1, 3), rand(2, 1), smooth=())
    case("less/integers", torch.lt, ids(3, 4, below=5), ids(4, below=5), smooth=())
    case("equal/integers", torch.eq, ids(3, 4, below=3), ids(4, below=3), smooth=())
    case("equal/floats", torch.eq, ids(3, 4, below=3).float(), ids(4, below=3).float(), smooth=())
    case("where/same", lambda c, a, b: torch.where(c == 1, a, b), ids(3, 4, below=2), rand(3, 4), rand(3, 4))
    case("where/broadcast", lambda c, a, b: torch.where(c == 1, a, b), ids(2, 1, 4, below=2), rand(3, 1), rand(1, 4))


def reductions_and_layout():
    case("sum/all", lambda x: x.sum(), rand(2, 3, 4))
    case("sum/kept", lambda x: x.sum((0, 2), keepdim=True), rand(2, 3, 4))
    case("sum/dropped", lambda x: x.sum(1), rand(2, 3, 4))
    case("max/all", lambda x: x.amax(), apart(2, 3, 4))
    case("max/kept", lambda x: x.amax(-1, keepdim=True), apart(2, 3, 4))
    case("max/dropped", lambda x: x.amax((0, 2)), apart(2, 3, 4))
    case("max/ties", lambda x: x.amax(1), ids(4, 6, below=3).float())
    case("reshape/plain", lambda x: x.reshape(4, 6), rand(2, 3, 4))
    case("reshape/toScalar", lambda x: x.reshape(()), rand(1, 1))
    case("transpose/turn", lambda x: x.permute(2, 0, 1), rand(2, 3, 4))
    case("transpose/heads", lambda x: x.permute(0, 2, 1, 3), rand(2, 3, 2, 4))
    case("expand/rank", lambda x: x.expand(4, 2, 3), rand(2, 1))
    case("expand/scalar", lambda x: x.expand(2, 3), rand())
    case("slice/all", lambda x: x[1:3, :, 2:5], rand(4, 2, 6))
    case("slice/one", lambda x: x[:, 1:2], rand(4, 3))
    case("pad/uneven", lambda x: F.pad(x, (0, 3, 2, 1)), rand(2, 3, 4))
    case("concat/middle", lambda a, b, c: torch.cat((a, b, c), 1), rand(2, 3, 2), rand(2, 1, 2), rand(2, 2, 2))
    case("concat/last", lambda a, b: torch.cat((a, b), -1), rand(2, 3), rand(2, 4))
    case("upsample/two", upsample(2), rand(2, 3, 3, 2))
    case("upsample/three", upsample(3), rand(1, 2, 2, 3))


def products():
    for name, ta, tb, a, b, scale in (
        ("plain", False, False, (3, 4), (4, 2), 1), ("scaled", False, False, (3, 4), (4, 2), 0.37),
        ("transA", True, False, (4, 3), (4, 2), 1), ("transB", False, True, (3, 4), (2, 4), 0.5),
        ("transBoth", True, True, (4, 3), (2, 4), -1.5), ("batch", False, False, (2, 3, 4), (2, 4, 5), 1),
        ("batchTransA", True, False, (2, 4, 3), (2, 4, 5), 2), ("batchTransB", False, True, (2, 3, 4), (2, 5, 4), 1),
        ("broadcastA", False, False, (3, 4), (2, 4, 5), 1), ("broadcastB", False, True, (2, 3, 4), (5, 4), 0.25),
        ("broadcastTransA", True, False, (4, 3), (2, 4, 5), 0.25), ("broadcastBoth", True, True, (2, 1, 4, 3), (3, 5, 4), 0.5),
    ):  # fmt: skip
        case(f"matmul/{name}", matmul(ta, tb, scale), rand(*a), rand(*b), second=True)
    for ta in (False, True):
        for tb in (False, True):
            a, b = rand(*((4, 3) if ta else (3, 4))), rand(*((5, 4) if tb else (4, 5)))
            name = f"gemm/{'t' if ta else 'n'}{'t' if tb else 'n'}"
            case(name, gemm(ta, tb), a, b, second=True)
            case(f"{name}Bias", gemm(ta, tb), a, b, rand(5), second=True)


CONVS = {  # x, weight, stride, padding [top, left, bottom, right]
    "same": ((2, 3, 5, 4), (4, 3, 3, 3), (1, 1), (1, 1, 1, 1)),
    "valid": ((1, 2, 5, 5), (3, 2, 3, 3), (1, 1), (0, 0, 0, 0)),
    "pointwise": ((2, 3, 3, 5), (4, 3, 1, 1), (1, 1), (0, 0, 0, 0)),
    "halvingEven": ((2, 2, 6, 6), (3, 2, 3, 3), (2, 2), (1, 1, 1, 1)),
    "halvingOdd": ((2, 2, 7, 5), (3, 2, 3, 3), (2, 2), (1, 1, 1, 1)),
    "farEdgeOnly": ((2, 2, 6, 7), (3, 2, 3, 3), (2, 2), (0, 0, 1, 1)),
    "pointwiseStride": ((2, 2, 5, 6), (3, 2, 1, 1), (2, 2), (0, 0, 0, 0)),
    "patches": ((1, 3, 8, 8), (4, 3, 4, 4), (4, 4), (0, 0, 0, 0)),
    "patchesOdd": ((1, 3, 9, 11), (4, 3, 4, 4), (4, 4), (0, 0, 0, 0)),
    "uneven": ((1, 2, 6, 8), (2, 2, 3, 5), (2, 3), (2, 0, 1, 3)),
    "wide": ((2, 2, 4, 7), (3, 2, 1, 7), (1, 1), (0, 3, 0, 3)),
    "tall": ((1, 2, 7, 3), (3, 2, 5, 1), (1, 1), (2, 0, 2, 0)),
    "manyInputs": ((1, 5, 3, 3), (1, 5, 3, 3), (1, 1), (1, 1, 1, 1)),
}


def convolutions():
    for name, (x, w, stride, padding) in CONVS.items():
        out = conv(stride, padding)(torch.zeros(x), torch.zeros(w)).shape
        if name in ("same", "halvingOdd", "pointwise"):
            case(f"conv2d/{name}Bias", conv(stride, padding), rand(*x), rand(*w), rand(w[0]), second=True)
        case(f"conv2d/{name}", conv(stride, padding), rand(*x), rand(*w), second=True)
        case(f"conv2dInputGradient/{name}", gradient_of_conv("x", x, stride, padding), rand(*out), rand(*w), second=name == "same")
        case(f"conv2dWeightGradient/{name}", gradient_of_conv("w", w, stride, padding), rand(*x), rand(*out), second=name == "same")


def networks_own():
    case("softmax/plain", lambda x: x.softmax(-1), rand(2, 3, 5, low=-3, high=3), second=True)
    case("softmax/large", lambda x: x.softmax(-1), rand(2, 4, low=80, high=84))
    case("layerNorm/plain", lambda x, s, b: F.layer_norm(x, (5,), s, b, 1e-5), rand(2, 3, 5), rand(5), rand(5), second=True)
    case("layerNorm/offset", lambda x, s, b: F.layer_norm(x, (6,), s, b, 1e-3), rand(2, 6, low=4, high=8), rand(6), rand(6))
    for name, shape, groups, eps in (("image", (2, 6, 3, 2), 3, 1e-5), ("oneGroup", (2, 4, 2, 3), 1, 1e-6), ("tokens", (2, 4, 5), 2, 1e-5), ("perChannel", (1, 3, 4, 4), 3, 1e-5)):
        c = shape[1]
        case(f"groupNorm/{name}", lambda x, s, b: F.group_norm(x, groups, s, b, eps), rand(*shape), rand(c), rand(c), second=name == "image")
    for name, batch, t, s, c, heads, scale, causal in (
        ("self", 1, 4, 4, 6, 1, 0.41, False), ("heads", 2, 4, 4, 8, 4, 0.7, False), ("cross", 2, 5, 3, 6, 2, 0.6, False),
        ("causal", 2, 5, 5, 6, 3, 0.5, True), ("causalOneHead", 1, 4, 4, 3, 1, 1.0, True), ("oneKey", 1, 3, 1, 4, 2, 0.5, False),
    ):  # fmt: skip
        function, inputs = attention(heads, scale, causal), (rand(batch, t, c), rand(batch, s, c), rand(batch, s, c))
        case(f"attention/{name}", function, *inputs)
        case(f"attentionGradient/{name}", gradient_of(function), *inputs, function(*inputs), rand(batch, t, c), smooth=())
    case("gather/matrix", lambda table, i: table[i], rand(6, 3), ids(2, 4, below=6))
    case("gather/repeated", lambda table, i: table[i], rand(3, 4), torch.tensor([1, 1, 0, 1]))
    case("scatterAdd/matrix", scatter_add(6), ids(2, 4, below=6), rand(2, 4, 3))
    case("scatterAdd/repeated", scatter_add(4), torch.tensor([2, 2, 0, 2, 2]), rand(5, 3))
    case("barrier/plain", lambda x, after: x * 1, rand(2, 3), rand(4, 2), smooth=[0])
    case("barrier/integers", lambda x, after: x, ids(2, 3, below=9), rand(4, 2), smooth=())
    case("barrier/afterNaN", lambda x, after: x * 1, rand(2, 3), torch.full((2,), torch.nan), smooth=())
    case("barrier/afterScalar", lambda x, after: x * 1, rand(2, 3), rand(), smooth=[0])
    case("barrier/scalar", lambda x, after: x * 1, rand(), ids(2, 2, below=3))
    case("detach/plain", lambda x: x.detach() * 1, rand(2, 3), smooth=())
    case("detach/partly", lambda x: x * x.detach(), rand(2, 3))


for group in (leaves_and_elementwise, reductions_and_layout, products, convolutions, networks_own):
    group()
OUT.parent.mkdir(exist_ok=True)
save_file({name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}, OUT)
