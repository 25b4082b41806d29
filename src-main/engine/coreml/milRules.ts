import { operand, type Node, type Op, type Value } from '../graph/ops.ts';
import { dims2, dims3, dims4, type Shape } from '../tensor/tensor.ts';
import type { Emitter, Ref } from './emitter.ts';
import type { MilType } from './schema.ts';

/** Emits what computes a node in `type`, whose operations are those of MIL for iOS 16 and macOS 13 (opset CoreML6). */
type MilRule<K extends Op> = (node: Node<K>, type: MilType, e: Emitter) => Ref;

const unary =
  (op: string): MilRule<Op> =>
  (node, type, e) =>
    e.emit(op, { x: e.operand(node, 0, type) }, type, node.shape);

const binary =
  (op: string): MilRule<Op> =>
  (node, type, e) =>
    e.emit(op, { x: e.operand(node, 0, type), y: e.operand(node, 1, type) }, type, node.shape);

/** Both operands in the wider of their types. */
const comparison =
  (op: string): MilRule<'less' | 'equal'> =>
  (node, type, e) => {
    const types = node.inputs.filter(({ op: of }) => of !== 'constant').map((value) => e.own(value).type);
    const common = types.find((one) => one !== 'fp16') ?? 'fp16';
    return e.emit(op, { x: e.operand(node, 0, common), y: e.operand(node, 1, common) }, type, node.shape);
  };

const reduction =
  (op: string): MilRule<'sum' | 'max'> =>
  (node, type, e) => {
    const { axes, keepDims } = node.attributes;
    const inputs = { x: e.operand(node, 0, type), axes: e.integers(axes), keep_dims: e.bool(keepDims) };
    return e.emit(op, inputs, type, node.shape);
  };

/** What only training needs. */
const refused: MilRule<Op> = ({ op }) => {
  throw new Error(`${op} has no counterpart in Core ML`);
};

const leaf: MilRule<Op> = ({ op }) => {
  throw new Error(`${op} is no operation of a program`);
};

const reshape = (x: Ref, shape: Shape, e: Emitter): Ref =>
  e.emit('reshape', { x, shape: e.integers(shape) }, x.type, shape);

const transpose = (x: Ref, perm: readonly number[], e: Emitter): Ref =>
  e.emit(
    'transpose',
    { x, perm: e.integers(perm) },
    x.type,
    perm.map((axis) => x.shape[axis] as number),
  );

const product = (
  x: Ref,
  y: Ref,
  [transA, transB]: readonly [boolean, boolean],
  shape: Shape,
  e: Emitter,
): Ref => e.emit('matmul', { x, y, transpose_x: e.bool(transA), transpose_y: e.bool(transB) }, x.type, shape);

const timesNumber = (x: Ref, factor: number, e: Emitter): Ref =>
  factor === 1 ? x : e.emit('mul', { x, y: e.number(factor, x.type) }, x.type, x.shape);

/** A bias must be stored; the weight of `linear` too. */
const storedOrNone = (value: Value | undefined, e: Emitter): boolean => !value || e.isStored(value);

const emitGemm: MilRule<'gemm'> = (node, type, e) => {
  const { transA, transB } = node.attributes;
  const [, weight, bias] = node.inputs;
  const [x, y] = [e.operand(node, 0, type), e.operand(node, 1, type)];
  if (!transA && transB && e.isStored(weight) && storedOrNone(bias, e))
    return e.emit('linear', { x, weight: y, bias: bias && e.value(bias, type) }, type, node.shape);
  const made = product(x, y, [transA, transB], node.shape, e);
  return bias ? e.emit('add', { x: made, y: e.value(bias, type) }, type, node.shape) : made;
};

const emitConv: MilRule<'conv2d'> = (node, type, e) => {
  const { stride, padding, groups = 1 } = node.attributes;
  const [top, left, bottom, right] = padding;
  const bias = node.inputs[2];
  const inputs = {
    x: e.operand(node, 0, type),
    weight: e.operand(node, 1, type),
    strides: e.integers(stride),
    pad_type: e.string('custom'),
    pad: e.integers([top, bottom, left, right]),
    dilations: e.integers([1, 1]),
    groups: e.integer(groups),
  };
  if (storedOrNone(bias, e))
    return e.emit('conv', { ...inputs, bias: bias && e.value(bias, type) }, type, node.shape);
  const made = e.emit('conv', inputs, type, node.shape);
  const shape = [1, node.shape[1] as number, 1, 1];
  const added = reshape(e.operand(node, 2, type), shape, e);
  return e.emit('add', { x: made, y: added }, type, node.shape);
};

/** As coremltools lowers torch's `group_norm`: MIL has none. */
const emitGroupNorm: MilRule<'groupNorm'> = (node, type, e) => {
  const { groups, epsilon } = node.attributes;
  const [batch = 0, channels = 0, ...size] = node.shape;
  const grouped = [batch, groups, channels / groups, ...size];
  const axes = e.integers(grouped.map((_, axis) => axis).slice(2));
  const one = [batch, groups, 1, ...size.map(() => 1)];
  const mean = (x: Ref): Ref => e.emit('reduce_mean', { x, axes, keep_dims: e.bool(true) }, type, one);
  const x = reshape(e.operand(node, 0, type), grouped, e);
  const centred = e.emit('sub', { x, y: mean(x) }, type, grouped);
  const variance = mean(e.emit('square', { x: centred }, type, grouped));
  const above = e.emit('add', { x: variance, y: e.number(epsilon, type) }, type, one);
  const deviation = e.emit('sqrt', { x: above }, type, one);
  const normed = reshape(e.emit('real_div', { x: centred, y: deviation }, type, grouped), node.shape, e);
  const perChannel = (index: number): Ref =>
    e.value(operand(node.inputs, index), type, [1, channels, ...size.map(() => 1)]);
  const scaled = e.emit('mul', { x: normed, y: perChannel(1) }, type, node.shape);
  return e.emit('add', { x: scaled, y: perChannel(2) }, type, node.shape);
};

/** What a score is lowered by where a query must not see a key: Apple's converter takes this number too, as f16 holds it. */
const unseen = -1e4;

/** softmax(q·kᵀ·scale)·v. Queries are scaled before the product, so that f16 holds it. */
const emitAttention: MilRule<'attention'> = (node, type, e) => {
  const { heads, scale, causal } = node.attributes;
  const [batch, queries, width] = dims3(node.shape);
  const [, keys] = dims3(operand(node.inputs, 1).shape);
  const byHead = (index: number): Ref => {
    const x = e.operand(node, index, type);
    return transpose(reshape(x, [batch, x.shape[1] as number, heads, width / heads], e), [0, 2, 1, 3], e);
  };
  const [q, k, v] = [timesNumber(byHead(0), scale, e), byHead(1), byHead(2)];
  const scored = [batch, heads, queries, keys];
  const scores = product(q, k, [false, true], scored, e);
  const seen = causal
    ? e.emit('add', { x: scores, y: laterKeys(queries, keys, type, e) }, type, scored)
    : scores;
  const shares = e.emit('softmax', { x: seen, axis: e.integer(-1) }, type, scored);
  const mixed = product(shares, v, [false, false], q.shape, e);
  return reshape(transpose(mixed, [0, 2, 1, 3], e), node.shape, e);
};

function laterKeys(queries: number, keys: number, type: MilType, e: Emitter): Ref {
  const data = Float32Array.from({ length: queries * keys }, (_, i) =>
    i % keys > Math.floor(i / keys) ? unseen : 0,
  );
  return e.table(`later_keys_${queries}_${keys}`, { dtype: 'f32', shape: [1, 1, queries, keys], data }, type);
}

/** The MIL operations of each of ours; total, so that a new one asks for its own. */
export const milRules: { readonly [K in Op]: MilRule<K> } = {
  input: leaf,
  parameter: leaf,
  constant: leaf,
  neg: (node, type, e) => timesNumber(e.operand(node, 0, type), -1, e),
  exp: unary('exp'),
  log: refused,
  sqrt: unary('sqrt'),
  reciprocal: (node, type, e) =>
    e.emit('real_div', { x: e.number(1, type), y: e.operand(node, 0, type) }, type, node.shape),
  sigmoid: unary('sigmoid'),
  tanh: unary('tanh'),
  relu: unary('relu'),
  sin: unary('sin'),
  cos: unary('cos'),
  swish: (node, type, e) => {
    const x = e.operand(node, 0, type);
    const { alpha } = node.attributes;
    if (alpha === 1) return e.emit('silu', { x }, type, node.shape);
    const gate = e.emit('sigmoid', { x: timesNumber(x, alpha, e) }, type, node.shape);
    return e.emit('mul', { x, y: gate }, type, node.shape);
  },
  gelu: (node, type, e) =>
    e.emit('gelu', { x: e.operand(node, 0, type), mode: e.string('EXACT') }, type, node.shape),
  erf: unary('erf'),
  cast: (node, type, e) => e.cast(e.own(operand(node.inputs, 0)), type),
  add: binary('add'),
  sub: binary('sub'),
  mul: binary('mul'),
  div: binary('real_div'),
  less: comparison('less'),
  equal: comparison('equal'),
  where: (node, type, e) => {
    const inputs = {
      cond: e.operand(node, 0, 'bool'),
      a: e.operand(node, 1, type),
      b: e.operand(node, 2, type),
    };
    return e.emit('select', inputs, type, node.shape);
  },
  sum: reduction('reduce_sum'),
  max: reduction('reduce_max'),
  reshape: (node, type, e) => reshape(e.operand(node, 0, type), node.shape, e),
  transpose: (node, type, e) => transpose(e.operand(node, 0, type), node.attributes.permutation, e),
  expand: (node, type, e) => {
    const x = e.operand(node, 0, type);
    const missing = node.shape.length - x.shape.length;
    const from = [...node.shape.slice(0, missing).map(() => 1), ...x.shape];
    const reps = e.integers(node.shape.map((size, axis) => size / (from[axis] as number)));
    return e.emit('tile', { x: missing ? reshape(x, from, e) : x, reps }, type, node.shape);
  },
  slice: (node, type, e) => {
    const { starts, ends } = node.attributes;
    const inputs = { x: e.operand(node, 0, type), begin: e.integers(starts), end: e.integers(ends) };
    return e.emit('slice_by_index', inputs, type, node.shape);
  },
  pad: (node, type, e) => {
    const { before, after } = node.attributes;
    const pad = e.integers(before.flatMap((size, axis) => [size, after[axis] as number]));
    const how = { pad, mode: e.string('constant'), constant_val: e.number(0, type) };
    return e.emit('pad', { x: e.operand(node, 0, type), ...how }, type, node.shape);
  },
  concat: (node, type, e) => {
    const values = node.inputs.map((value) => e.value(value, type));
    const how = { axis: e.integer(node.attributes.axis), interleave: e.bool(false) };
    return e.emit('concat', { values, ...how }, type, node.shape);
  },
  upsample: (node, type, e) => {
    dims4(node.shape);
    const factor = e.number(node.attributes.factor, 'fp32');
    const inputs = {
      x: e.operand(node, 0, type),
      scale_factor_height: factor,
      scale_factor_width: factor,
    };
    return e.emit('upsample_nearest_neighbor', inputs, type, node.shape);
  },
  matmul: (node, type, e) => {
    const { transA, transB, scale } = node.attributes;
    const [x, y] = [e.operand(node, 0, type), e.operand(node, 1, type)];
    return timesNumber(product(x, y, [transA, transB], node.shape, e), scale, e);
  },
  gemm: emitGemm,
  conv2d: emitConv,
  conv2dInputGradient: refused,
  conv2dWeightGradient: refused,
  softmax: (node, type, e) =>
    e.emit('softmax', { x: e.operand(node, 0, type), axis: e.integer(-1) }, type, node.shape),
  layerNorm: (node, type, e) => {
    const inputs = {
      x: e.operand(node, 0, type),
      axes: e.integers([-1]),
      gamma: e.operand(node, 1, type),
      beta: e.operand(node, 2, type),
      epsilon: e.number(node.attributes.epsilon, type),
    };
    return e.emit('layer_norm', inputs, type, node.shape);
  },
  groupNorm: emitGroupNorm,
  attention: emitAttention,
  attentionGradient: refused,
  gather: (node, type, e) => {
    dims2(operand(node.inputs, 0).shape);
    const inputs = {
      x: e.operand(node, 0, type),
      indices: e.operand(node, 1, 'int32'),
      axis: e.integer(0),
      batch_dims: e.integer(0),
    };
    return e.emit('gather', inputs, type, node.shape);
  },
  scatterAdd: refused,
  barrier: (node, type, e) => e.operand(node, 0, type),
  detach: (node, type, e) => e.operand(node, 0, type),
};
