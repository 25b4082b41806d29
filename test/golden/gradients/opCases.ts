import * as g from '../../../src-main/engine/graph/build.ts';
import type { ConvAttributes, Op, Value } from '../../../src-main/engine/graph/ops.ts';
import { golden } from './opGoldens.ts';

/** Builds one use of an operation from its inputs. */
export type Build = (...inputs: Value[]) => Value;

const unary = (build: Build) => ({ plain: build });
const rows = (build: Build) => ({ same: build, rows: build, both: build, scalar: build });

const conv = (
  stride: ConvAttributes['stride'],
  padding: ConvAttributes['padding'],
  size: readonly [number, number],
  kernel: readonly [number, number],
) => ({ stride, padding, size, kernel });

/** Each with the [h,w] of its input and of its kernel. Padding is [top, left, bottom, right]. */
const convolutions = {
  same: conv([1, 1], [1, 1, 1, 1], [5, 4], [3, 3]),
  valid: conv([1, 1], [0, 0, 0, 0], [5, 5], [3, 3]),
  pointwise: conv([1, 1], [0, 0, 0, 0], [3, 5], [1, 1]),
  halvingEven: conv([2, 2], [1, 1, 1, 1], [6, 6], [3, 3]),
  halvingOdd: conv([2, 2], [1, 1, 1, 1], [7, 5], [3, 3]),
  farEdgeOnly: conv([2, 2], [0, 0, 1, 1], [6, 7], [3, 3]),
  pointwiseStride: conv([2, 2], [0, 0, 0, 0], [5, 6], [1, 1]),
  patches: conv([4, 4], [0, 0, 0, 0], [8, 8], [4, 4]),
  patchesOdd: conv([4, 4], [0, 0, 0, 0], [9, 11], [4, 4]),
  uneven: conv([2, 3], [2, 0, 1, 3], [6, 8], [3, 5]),
  wide: conv([1, 1], [0, 3, 0, 3], [4, 7], [1, 7]),
  tall: conv([1, 1], [2, 0, 2, 0], [7, 3], [5, 1]),
  manyInputs: conv([1, 1], [1, 1, 1, 1], [3, 3], [3, 3]),
};
type Convolution = (typeof convolutions)[keyof typeof convolutions];

const convolved =
  ({ stride, padding }: Convolution): Build =>
  (x, weight, bias?: Value) =>
    g.conv2d(x, weight, bias, { stride, padding });

const eachConvolution = (build: (convolution: Convolution) => Build) =>
  Object.fromEntries(Object.entries(convolutions).map(([name, convolution]) => [name, build(convolution)]));

const gemms =
  (transA: boolean, transB: boolean): Build =>
  (a, b, bias?: Value) =>
    g.gemm(a, b, transA, transB, bias);

/** By name: heads, scale, causal. */
const attentions = {
  self: { heads: 1, scale: 0.41, causal: false },
  heads: { heads: 4, scale: 0.7, causal: false },
  cross: { heads: 2, scale: 0.6, causal: false },
  causal: { heads: 3, scale: 0.5, causal: true },
  causalOneHead: { heads: 1, scale: 1, causal: true },
  oneKey: { heads: 2, scale: 0.5, causal: false },
};
type Attention = (typeof attentions)[keyof typeof attentions];

const eachAttention = (build: (attributes: Attention) => Build) =>
  Object.fromEntries(Object.entries(attentions).map(([name, attributes]) => [name, build(attributes)]));

/** Attention's gradient with about `block` scores at a time. */
export const attentionGradients = (block: number): Readonly<Record<string, Build>> =>
  eachAttention(
    (attributes) =>
      (...inputs) =>
        g.apply('attentionGradient', inputs, { ...attributes, block }),
  );

/**
 * Every operation with the cases of `make_op_goldens.py`, by their names there. Total: an operation without a case does not
 * compile.
 */
export const opCases: { readonly [K in Op]: Readonly<Record<string, Build>> } = {
  input: unary((x) => x),
  parameter: unary((x) => g.parameter('in0', x.shape)),
  constant: unary(() => g.constant(golden('constant/plain/in0'))),
  neg: unary(g.neg),
  exp: unary(g.exp),
  log: unary(g.log),
  sqrt: unary(g.sqrt),
  reciprocal: { plain: g.reciprocal, negative: g.reciprocal },
  sigmoid: unary(g.sigmoid),
  tanh: unary(g.tanh),
  relu: unary(g.relu),
  sin: unary(g.sin),
  cos: unary(g.cos),
  swish: { silu: g.silu, quick: g.quickGelu },
  gelu: unary(g.gelu),
  erf: unary(g.erf),
  cast: {
    toIntegers: (x) => g.cast(x, 'i64'),
    toFloat: (x) => g.cast(x, 'f32'),
    throughHalf: (x) => g.cast(g.cast(x, 'f16'), 'f32'),
  },
  add: rows(g.add),
  sub: rows(g.sub),
  mul: rows(g.mul),
  div: { same: g.div, both: g.div, byScalar: g.div },
  less: { both: g.less, integers: g.less },
  equal: { integers: g.equal, floats: g.equal },
  where: {
    same: (condition, a, b) => g.where(g.cast(condition, 'bool'), a, b),
    broadcast: (condition, a, b) => g.where(g.cast(condition, 'bool'), a, b),
  },
  sum: { all: (x) => g.sum(x), kept: (x) => g.sum(x, [0, 2], true), dropped: (x) => g.sum(x, [1]) },
  max: {
    all: (x) => g.max(x),
    kept: (x) => g.max(x, [-1], true),
    dropped: (x) => g.max(x, [0, 2]),
    ties: (x) => g.max(x, [1]),
  },
  reshape: { plain: (x) => g.reshape(x, [4, -1]), toScalar: (x) => g.reshape(x, []) },
  transpose: { turn: (x) => g.transpose(x, [2, 0, 1]), heads: (x) => g.transpose(x, [0, 2, 1, 3]) },
  expand: { rank: (x) => g.expand(x, [4, 2, 3]), scalar: (x) => g.expand(x, [2, 3]) },
  slice: {
    all: (x) => g.apply('slice', [x], { starts: [1, 0, 2], ends: [3, 2, 5] }),
    one: (x) => g.slice(x, -1, 1, 2),
  },
  pad: { uneven: (x) => g.pad(x, [0, 2, 0], [0, 1, 3]) },
  concat: { middle: (...parts) => g.concat(parts, 1), last: (...parts) => g.concat(parts, -1) },
  upsample: { two: (x) => g.upsample(x, 2), three: (x) => g.upsample(x, 3) },
  matmul: {
    plain: (a, b) => g.matmul(a, b),
    scaled: (a, b) => g.matmul(a, b, { scale: 0.37 }),
    transA: (a, b) => g.matmul(a, b, { transA: true }),
    transB: (a, b) => g.matmul(a, b, { transB: true, scale: 0.5 }),
    transBoth: (a, b) => g.matmul(a, b, { transA: true, transB: true, scale: -1.5 }),
    batch: (a, b) => g.matmul(a, b),
    batchTransA: (a, b) => g.matmul(a, b, { transA: true, scale: 2 }),
    batchTransB: (a, b) => g.matmul(a, b, { transB: true }),
    broadcastA: (a, b) => g.matmul(a, b),
    broadcastB: (a, b) => g.matmul(a, b, { transB: true, scale: 0.25 }),
    broadcastTransA: (a, b) => g.matmul(a, b, { transA: true, scale: 0.25 }),
    broadcastBoth: (a, b) => g.matmul(a, b, { transA: true, transB: true, scale: 0.5 }),
  },
  gemm: {
    nn: gemms(false, false),
    nt: gemms(false, true),
    tn: gemms(true, false),
    tt: gemms(true, true),
    nnBias: gemms(false, false),
    ntBias: gemms(false, true),
    tnBias: gemms(true, false),
    ttBias: gemms(true, true),
  },
  conv2d: {
    ...eachConvolution(convolved),
    sameBias: convolved(convolutions.same),
    halvingOddBias: convolved(convolutions.halvingOdd),
    pointwiseBias: convolved(convolutions.pointwise),
  },
  conv2dInputGradient: eachConvolution(
    ({ stride, padding, size }) =>
      (gradient, weight) =>
        g.apply('conv2dInputGradient', [gradient, weight], { stride, padding, size }),
  ),
  conv2dWeightGradient: eachConvolution(
    ({ stride, padding, kernel }) =>
      (x, gradient) =>
        g.apply('conv2dWeightGradient', [x, gradient], { stride, padding, kernel }),
  ),
  softmax: { plain: g.softmax, large: g.softmax },
  layerNorm: {
    plain: (x, scale, bias) => g.layerNorm(x, scale, bias, 1e-5),
    offset: (x, scale, bias) => g.layerNorm(x, scale, bias, 1e-3),
  },
  groupNorm: {
    image: (x, scale, bias) => g.groupNorm(x, scale, bias, 3, 1e-5),
    oneGroup: (x, scale, bias) => g.groupNorm(x, scale, bias, 1, 1e-6),
    tokens: (x, scale, bias) => g.groupNorm(x, scale, bias, 2, 1e-5),
    perChannel: (x, scale, bias) => g.groupNorm(x, scale, bias, 3, 1e-5),
  },
  attention: eachAttention((attributes) => (q, k, v) => g.attention(q, k, v, attributes)),
  attentionGradient: attentionGradients(1 << 20),
  gather: { matrix: g.gather, repeated: g.gather },
  scatterAdd: {
    matrix: (ids, updates) => g.scatterAdd(ids, updates, 6),
    repeated: (ids, updates) => g.scatterAdd(ids, updates, 4),
  },
  barrier: {
    plain: g.barrier,
    integers: g.barrier,
    afterNaN: g.barrier,
    afterScalar: g.barrier,
    scalar: g.barrier,
  },
  detach: { plain: g.detach, partly: (x) => g.mul(x, g.detach(x)) },
};

/** All cases as "<op>/<case>". */
export const allCases: readonly (readonly [name: string, op: Op, build: Build])[] = Object.entries(
  opCases,
).flatMap(([op, cases]) =>
  Object.entries(cases).map(([name, build]) => [`${op}/${name}`, op as Op, build] as const),
);
