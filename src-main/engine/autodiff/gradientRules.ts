import {
  add,
  apply,
  cast,
  conv2d,
  cos,
  div,
  equal,
  exp,
  expand,
  gather,
  gemm,
  less,
  matmul,
  mul,
  neg,
  pad,
  reshape,
  scatterAdd,
  sigmoid,
  sin,
  slice,
  square,
  sub,
  sum,
  sumTo,
  transpose,
  where,
} from '../graph/build.ts';
import { operand, type Node, type Op, type Value } from '../graph/ops.ts';
import { groupNormGradient, layerNormGradient } from './normGradients.ts';
import { dims2, dims4 } from '../tensor/tensor.ts';

/**
 * (node, gradient of its output) → gradient of each input, `undefined` where there is none. Rules build freely:
 * what nobody asks for is never part of a graph.
 */
export type GradientRule<K extends Op> = (node: Node<K>, gradient: Value) => readonly (Value | undefined)[];

/** Input `index` of a node; its shape rule has checked that it is there. */
const at = (node: { readonly inputs: readonly Value[] }, index: number): Value => operand(node.inputs, index);
const self = (node: Node<Op>): Value => node as Value;
const none = (): readonly undefined[] => [];

/** Broadcasts a reduction's result back to the shape of its input. */
function spread(node: Node<'sum' | 'max'>, reduced: Value): Value {
  const { shape } = at(node, 0);
  const { axes } = node.attributes;
  return expand(
    reshape(
      reduced,
      shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
    ),
    shape,
  );
}

function undone(permutation: readonly number[]): number[] {
  return permutation.map((_, axis) => permutation.indexOf(axis));
}

/** Attention scores recomputed at a time (16 MB): with smaller blocks, threads wait for each other more often. */
const scoresAtOnce = 1 << 22;

export const gradientRules: { readonly [K in Op]: GradientRule<K> } = {
  input: none,
  parameter: none,
  constant: none,
  neg: (_, g) => [neg(g)],
  exp: (node, g) => [mul(g, self(node))],
  log: (node, g) => [div(g, at(node, 0))],
  sqrt: (node, g) => [div(mul(g, 0.5), self(node))],
  reciprocal: (node, g) => [neg(mul(g, square(self(node))))],
  sigmoid: (node, g) => [mul(g, mul(self(node), sub(1, self(node))))],
  tanh: (node, g) => [mul(g, sub(1, square(self(node))))],
  relu: (node, g) => [where(less(0, at(node, 0)), g, 0)],
  sin: (node, g) => [mul(g, cos(at(node, 0)))],
  cos: (node, g) => [neg(mul(g, sin(at(node, 0))))],
  // y = x·s(αx): y' = s + αy(1 − s)
  swish: (node, g) => {
    const { alpha } = node.attributes;
    // ONNX Runtime leaves a product with 1 out only where it knows shapes before a run.
    const scaled = (x: Value): Value => (alpha === 1 ? x : mul(x, alpha));
    const s = sigmoid(scaled(at(node, 0)));
    return [mul(g, add(s, mul(scaled(self(node)), sub(1, s))))];
  },
  // Φ(x) + x·φ(x)
  gelu: (node, g) => {
    const x = at(node, 0);
    const cumulative = mul(add(apply('erf', [mul(x, Math.SQRT1_2)], {}), 1), 0.5);
    const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return [mul(g, add(cumulative, mul(x, density)))];
  },
  erf: (node, g) => [mul(g, mul(exp(neg(square(at(node, 0)))), 2 / Math.sqrt(Math.PI)))],
  cast: (node, g) => [cast(g, at(node, 0).dtype)],
  add: (node, g) => [sumTo(g, at(node, 0).shape), sumTo(g, at(node, 1).shape)],
  sub: (node, g) => [sumTo(g, at(node, 0).shape), neg(sumTo(g, at(node, 1).shape))],
  mul: (node, g) => {
    const [a, b] = [at(node, 0), at(node, 1)];
    return [sumTo(mul(g, b), a.shape), sumTo(mul(g, a), b.shape)];
  },
  div: (node, g) => {
    const [a, b] = [at(node, 0), at(node, 1)];
    return [sumTo(div(g, b), a.shape), neg(sumTo(div(mul(g, self(node)), b), b.shape))];
  },
  less: none,
  equal: none,
  where: (node, g) => {
    const [condition, a, b] = [at(node, 0), at(node, 1), at(node, 2)];
    return [undefined, sumTo(where(condition, g, 0), a.shape), sumTo(where(condition, 0, g), b.shape)];
  },
  sum: (node, g) => [spread(node, g)],
  // Ties share the gradient, as torch.amax does.
  max: (node, g) => {
    const x = at(node, 0);
    const hit = cast(equal(x, spread(node, self(node))), x.dtype);
    const ties = sum(hit, node.attributes.axes, true);
    return [div(mul(hit, spread(node, g)), ties)];
  },
  reshape: (node, g) => [reshape(g, at(node, 0).shape)],
  transpose: (node, g) => [transpose(g, undone(node.attributes.permutation))],
  expand: (node, g) => [sumTo(g, at(node, 0).shape)],
  slice: (node, g) => {
    const { starts, ends } = node.attributes;
    return [
      pad(
        g,
        starts,
        at(node, 0).shape.map((size, axis) => size - (ends[axis] as number)),
      ),
    ];
  },
  pad: (node, g) => {
    const { before } = node.attributes;
    const ends = at(node, 0).shape.map((size, axis) => size + (before[axis] as number));
    return [apply('slice', [g], { starts: before, ends })];
  },
  concat: (node, g) => {
    let start = 0;
    return node.inputs.map((part) => {
      const from = start;
      start += part.shape[node.attributes.axis] as number;
      return slice(g, node.attributes.axis, from, start);
    });
  },
  upsample: (node, g) => {
    const [batch, channels, height, width] = dims4(at(node, 0).shape);
    const { factor } = node.attributes;
    return [sum(reshape(g, [batch, channels, height, factor, width, factor]), [3, 5])];
  },
  matmul: (node, g) => {
    const [a, b] = [at(node, 0), at(node, 1)];
    const { transA, transB, scale } = node.attributes;
    const da = transA
      ? matmul(b, g, { transA: transB, transB: true, scale })
      : matmul(g, b, { transB: !transB, scale });
    const db = transB
      ? matmul(g, a, { transA: true, transB: transA, scale })
      : matmul(a, g, { transA: !transA, scale });
    return [sumTo(da, a.shape), sumTo(db, b.shape)];
  },
  gemm: (node, g) => {
    const [a, b] = [at(node, 0), at(node, 1)];
    const { transA, transB } = node.attributes;
    return [
      transA ? gemm(b, g, transB, true) : gemm(g, b, false, !transB),
      transB ? gemm(g, a, true, transA) : gemm(a, g, !transA, false),
      node.inputs[2] && sum(g, [0]),
    ];
  },
  conv2d: (node, g) => {
    const [x, weight] = [at(node, 0), at(node, 1)];
    if ((node.attributes.groups ?? 1) > 1) throw new Error('grouped convolutions are not trained here');
    const [, , height, width] = dims4(x.shape);
    const [, , tall, wide] = dims4(weight.shape);
    return [
      apply('conv2dInputGradient', [g, weight], { ...node.attributes, size: [height, width] }),
      apply('conv2dWeightGradient', [x, g], { ...node.attributes, kernel: [tall, wide] }),
      node.inputs[2] && sum(g, [0, 2, 3]),
    ];
  },
  conv2dInputGradient: (node, g) => {
    const [gradient, weight] = [at(node, 0), at(node, 1)];
    const { stride, padding } = node.attributes;
    const kernel = dims2(weight.shape.slice(2));
    return [
      conv2d(g, weight, undefined, { stride, padding }),
      apply('conv2dWeightGradient', [g, gradient], { stride, padding, kernel }),
    ];
  },
  conv2dWeightGradient: (node, g) => {
    const [x, gradient] = [at(node, 0), at(node, 1)];
    const { stride, padding } = node.attributes;
    const size = dims2(x.shape.slice(2));
    return [
      apply('conv2dInputGradient', [gradient, g], { stride, padding, size }),
      conv2d(x, g, undefined, { stride, padding }),
    ];
  },
  softmax: (node, g) => {
    const weighted = mul(g, self(node));
    return [sub(weighted, mul(self(node), sum(weighted, [-1], true)))];
  },
  layerNorm: layerNormGradient,
  groupNorm: groupNormGradient,
  attention: (node, g) => {
    const [q, k, v] = [at(node, 0), at(node, 1), at(node, 2)];
    const [targets, sources] = [q.shape[1] as number, k.shape[1] as number];
    // A single key always has all the weight, so this gradient is exactly zero. Rounding would leave a little, which Adam would
    // blow up.
    if (sources === 1) return [mul(q, 0), mul(k, 0), sum(g, [1], true)];
    const attributes = { ...node.attributes, block: scoresAtOnce };
    const joined = apply('attentionGradient', [q, k, v, self(node), g], attributes);
    const from = (start: number, length: number): Value => slice(joined, 1, start, start + length);
    return [from(0, targets), from(targets, sources), from(targets + sources, sources)];
  },
  attentionGradient: () => {
    throw new Error('attention has no second derivative here');
  },
  gather: (node, g) => [scatterAdd(at(node, 1), g, at(node, 0).shape[0] as number)],
  scatterAdd: (node, g) => {
    const ids = at(node, 0);
    return [undefined, gather(g, reshape(ids, ids.shape.slice(0, -1)))];
  },
  barrier: (_, g) => [g],
  detach: none,
};
