import { inHalves, isHalf } from '../tensor/half.ts';
import {
  elementCount,
  f32,
  i64 as i64Tensor,
  sameShape,
  type DType,
  type HostTensor,
  type Shape,
} from '../tensor/tensor.ts';
import type { Node, Op, OpAttributes, Value } from './ops.ts';
import { broadcastShapes, shapeRules } from './shapeRules.ts';

// Builders: one line for each plain operation, and a few conveniences for networks.

let created = 0;

/** Applies `op`; every value is made here. Throws where the shape rule finds no legal type. */
export function apply<K extends Op>(op: K, inputs: readonly Value[], attributes: OpAttributes[K]): Value {
  return node(op, inputs, attributes, shapeRules[op](inputs, attributes));
}

function node<K extends Op>(
  op: K,
  inputs: readonly Value[],
  attributes: OpAttributes[K],
  type: { dtype: DType; shape: Shape },
): Value {
  const made: Node<K> = { id: created++, op, inputs, attributes, dtype: type.dtype, shape: type.shape };
  return made as Value;
}

/** A tensor that every run is fed. */
export const input = (name: string, shape: Shape, dtype: DType = 'f32'): Value =>
  node('input', [], { name }, { dtype, shape });
/** A weight: the runtime reads it from its file, or is fed it at every run while it is trained. */
export const parameter = (name: string, shape: Shape, dtype: DType = 'f32'): Value =>
  node('parameter', [], { name }, { dtype, shape });
export const constant = (tensor: HostTensor): Value => apply('constant', [], { tensor });
export const scalar = (value: number): Value => constant(f32([], [value]));
export const integers = (shape: Shape, values: Iterable<number>): Value => constant(i64Tensor(shape, values));

type Operand = Value | number;
/** Two operands of one type: a number takes the other's. */
const pair = (a: Operand, b: Operand): [Value, Value] => [operand(a, b), operand(b, a)];
const operand = (x: Operand, other: Operand): Value => {
  if (typeof x !== 'number') return x;
  const dtype = typeof other === 'number' ? 'f32' : other.dtype;
  return isHalf(dtype) ? constant(inHalves(f32([], [x]), dtype)) : scalar(x);
};

export const neg = (x: Value): Value => apply('neg', [x], {});
export const exp = (x: Value): Value => apply('exp', [x], {});
export const log = (x: Value): Value => apply('log', [x], {});
export const sqrt = (x: Value): Value => apply('sqrt', [x], {});
export const reciprocal = (x: Value): Value => apply('reciprocal', [x], {});
export const sigmoid = (x: Value): Value => apply('sigmoid', [x], {});
export const tanh = (x: Value): Value => apply('tanh', [x], {});
export const relu = (x: Value): Value => apply('relu', [x], {});
export const sin = (x: Value): Value => apply('sin', [x], {});
export const cos = (x: Value): Value => apply('cos', [x], {});
export const erf = (x: Value): Value => apply('erf', [x], {});
export const gelu = (x: Value): Value => apply('gelu', [x], {});
export const silu = (x: Value): Value => apply('swish', [x], { alpha: 1 });
export const quickGelu = (x: Value): Value => apply('swish', [x], { alpha: 1.702 });
export const cast = (x: Value, dtype: DType): Value =>
  x.dtype === dtype ? x : apply('cast', [x], { dtype });

export const add = (a: Operand, b: Operand): Value => apply('add', pair(a, b), {});
export const sub = (a: Operand, b: Operand): Value => apply('sub', pair(a, b), {});
export const mul = (a: Operand, b: Operand): Value => apply('mul', pair(a, b), {});
export const div = (a: Operand, b: Operand): Value => apply('div', pair(a, b), {});
export const less = (a: Operand, b: Operand): Value => apply('less', pair(a, b), {});
export const equal = (a: Value, b: Value): Value => apply('equal', [a, b], {});
export const where = (condition: Value, a: Operand, b: Operand): Value =>
  apply('where', [condition, ...pair(a, b)], {});
export const square = (x: Value): Value => mul(x, x);

type Axes = readonly number[];
const allAxes = (x: Value): Axes => [...x.shape.keys()];
const wrappedAxis = (x: Value, axis: number): number => (axis < 0 ? axis + x.shape.length : axis);
const wrapped = (x: Value, axes: Axes): Axes => axes.map((axis) => wrappedAxis(x, axis));

/** Sum over `axes` (all when left out); negative axes count from the end. */
export const sum = (x: Value, axes: Axes = allAxes(x), keepDims = false): Value =>
  axes.length ? apply('sum', [x], { axes: wrapped(x, axes), keepDims }) : x;
export const max = (x: Value, axes: Axes = allAxes(x), keepDims = false): Value =>
  apply('max', [x], { axes: wrapped(x, axes), keepDims });
export const mean = (x: Value, axes: Axes = allAxes(x), keepDims = false): Value => {
  const count = wrapped(x, axes).reduce((product, axis) => product * (x.shape[axis] as number), 1);
  return mul(sum(x, axes, keepDims), 1 / count);
};
/** Mean squared difference, a scalar. */
export const meanSquaredError = (a: Value, b: Value): Value => mean(square(sub(a, b)));

/** One size may be -1; it is inferred. */
export const reshape = (x: Value, shape: Shape): Value => {
  const known = shape.reduce((product, size) => (size < 0 ? product : product * size), 1);
  const whole = shape.map((size) => (size < 0 ? elementCount(x.shape) / known : size));
  return sameShape(whole, x.shape) ? x : apply('reshape', [x], { shape: whole });
};
export const transpose = (x: Value, permutation: Axes): Value =>
  permutation.length === x.shape.length && permutation.every((axis, i) => axis === i)
    ? x
    : apply('transpose', [x], { permutation });
export const expand = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : apply('expand', [x], { shape });
/** The part [start, end) of one axis. */
export const slice = (x: Value, axis: number, start: number, end: number): Value => {
  const at = wrappedAxis(x, axis);
  if (start === 0 && end === x.shape[at]) return x;
  return apply('slice', [x], {
    starts: x.shape.map((_, i) => (i === at ? start : 0)),
    ends: x.shape.map((size, i) => (i === at ? end : size)),
  });
};
export const pad = (x: Value, before: Axes, after: Axes): Value => apply('pad', [x], { before, after });
export const concat = (values: readonly Value[], axis: number): Value =>
  values.length === 1
    ? (values[0] as Value)
    : apply('concat', values, { axis: wrapped(values[0] as Value, [axis])[0] as number });
/** `parts` equal parts of one axis. */
export const halves = (x: Value, axis: number): [Value, Value] => {
  const size = (x.shape.at(axis) as number) / 2;
  return [slice(x, axis, 0, size), slice(x, axis, size, 2 * size)];
};
export const upsample = (x: Value, factor: number): Value => apply('upsample', [x], { factor });

export const matmul = (
  a: Value,
  b: Value,
  { transA = false, transB = false, scale = 1 }: Partial<OpAttributes['matmul']> = {},
): Value => apply('matmul', [a, b], { transA, transB, scale });
export const gemm = (a: Value, b: Value, transA = false, transB = false, bias?: Value): Value =>
  apply('gemm', bias ? [a, b, bias] : [a, b], { transA, transB });
export const conv2d = (
  x: Value,
  weight: Value,
  bias: Value | undefined,
  attributes: OpAttributes['conv2d'],
): Value => apply('conv2d', bias ? [x, weight, bias] : [x, weight], attributes);

export const softmax = (x: Value): Value => apply('softmax', [x], {});
export const layerNorm = (x: Value, scale: Value, bias: Value, epsilon: number): Value =>
  apply('layerNorm', [x, scale, bias], { epsilon });
export const groupNorm = (x: Value, scale: Value, bias: Value, groups: number, epsilon: number): Value =>
  apply('groupNorm', [x, scale, bias], { groups, epsilon });
export const attention = (q: Value, k: Value, v: Value, attributes: OpAttributes['attention']): Value =>
  apply('attention', [q, k, v], attributes);
export const gather = (table: Value, ids: Value): Value => apply('gather', [table, ids], {});
/** Sums rows of `updates` [...,w] into a table [rows,w], by `ids` [...]. */
export const scatterAdd = (ids: Value, updates: Value, rows: number): Value =>
  apply('scatterAdd', [reshape(ids, [...ids.shape, 1]), updates], { rows });
export const barrier = (x: Value, after: Value): Value => apply('barrier', [x, after], {});

export const detach = (x: Value): Value => apply('detach', [x], {});

/** Undoes broadcasting: sums `x` down to `shape`. */
export function sumTo(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  broadcastShapes(x.shape, shape);
  const extra = x.shape.length - shape.length;
  const axes = [...x.shape.keys()].filter(
    (axis) => axis < extra || (shape[axis - extra] === 1 && x.shape[axis] !== 1),
  );
  return reshape(sum(x, axes, true), shape);
}
