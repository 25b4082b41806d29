import { dims2, dims3, dims4, type DType, elementCount, sameShape, type Shape } from '../tensor/tensor.ts';
import { operand, type ConvAttributes, type Op, type OpAttributes, type Value } from './ops.ts';

export interface Type {
  readonly dtype: DType;
  readonly shape: Shape;
}

type ShapeRule<K extends Op> = (inputs: readonly Value[], attributes: OpAttributes[K]) => Type;

/** Throws the complaint with the shapes that caused it, unless `legal`. */
function check(legal: boolean, complaint: string, inputs: readonly Value[]): asserts legal {
  if (legal) return;
  throw new Error(
    `${complaint}: ${inputs.map((value) => `${value.dtype}[${value.shape.join()}]`).join(' ')}`,
  );
}

/** NumPy's broadcasting of two shapes. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1)
      throw new Error(`[${a.join()}] and [${b.join()}] do not broadcast`);
    return left === 1 ? right : left;
  });
}

const same: ShapeRule<Op> = (inputs) => ({
  dtype: operand(inputs, 0).dtype,
  shape: operand(inputs, 0).shape,
});

const broadcast: ShapeRule<Op> = (inputs) => {
  const [a, b] = [operand(inputs, 0), operand(inputs, 1)];
  check(a.dtype === b.dtype, 'operands differ in type', inputs);
  return { dtype: a.dtype, shape: broadcastShapes(a.shape, b.shape) };
};

const compare: ShapeRule<Op> = (inputs, attributes) => ({ ...broadcast(inputs, attributes), dtype: 'bool' });

function reduced(inputs: readonly Value[], { axes, keepDims }: OpAttributes['sum']): Type {
  const { dtype, shape } = operand(inputs, 0);
  const legal = axes.every((axis) => axis >= 0 && axis < shape.length) && new Set(axes).size === axes.length;
  check(legal, 'an axis is out of range or given twice', inputs);
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return { dtype, shape: keepDims ? kept : kept.filter((_, axis) => !axes.includes(axis)) };
}

function reshaped(inputs: readonly Value[], { shape }: { shape: Shape }): Type {
  const x = operand(inputs, 0);
  const legal = shape.every(Number.isInteger) && elementCount(shape) === elementCount(x.shape);
  check(legal, `cannot reshape to [${shape.join()}]`, inputs);
  return { dtype: x.dtype, shape };
}

const oneType = (inputs: readonly Value[]): boolean =>
  inputs.every(({ dtype }) => dtype === inputs[0]?.dtype);

function matrix(value: Value, transposed: boolean, inputs: readonly Value[]): readonly [number, number] {
  check(value.shape.length >= 2, 'matrices do not fit', inputs);
  const [rows, columns] = dims2(value.shape.slice(-2));
  return transposed ? [columns, rows] : [rows, columns];
}

function attended(inputs: readonly Value[], { heads }: OpAttributes['attention']): Type {
  const [q, k, v] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
  const alike =
    oneType(inputs) && sameShape(k.shape, v.shape) && q.shape.length === 3 && k.shape.length === 3;
  const legal = alike && q.shape[0] === k.shape[0] && q.shape[2] === k.shape[2];
  check(legal && (q.shape[2] as number) % heads === 0, 'q, k, v do not fit', inputs);
  return q;
}

/** Output size of a convolution along both axes; below 1 where the kernel is larger than the padded input. */
function convSize(size: Shape, kernel: Shape, { stride, padding }: ConvAttributes): [number, number] {
  const along = (axis: 0 | 1): number =>
    Math.floor(
      ((size[axis] as number) + padding[axis] + (padding[axis + 2] as number) - (kernel[axis] as number)) /
        stride[axis],
    ) + 1;
  return [along(0), along(1)];
}

export const shapeRules: { readonly [K in Op]: ShapeRule<K> } = {
  // Leaves are made by `build.ts` with the type they are given.
  input: () => unreachable(),
  parameter: () => unreachable(),
  constant: (_, { tensor }) => {
    check(
      tensor.data.length === elementCount(tensor.shape),
      `the data does not fill [${tensor.shape.join()}]`,
      [],
    );
    return tensor;
  },
  neg: same,
  exp: same,
  log: same,
  sqrt: same,
  reciprocal: same,
  sigmoid: same,
  tanh: same,
  relu: same,
  sin: same,
  cos: same,
  swish: same,
  gelu: same,
  erf: same,
  cast: (inputs, { dtype }) => ({ dtype, shape: operand(inputs, 0).shape }),
  add: broadcast,
  sub: broadcast,
  mul: broadcast,
  div: broadcast,
  less: compare,
  equal: compare,
  where: (inputs) => {
    const [condition, a, b] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
    check(condition.dtype === 'bool' && a.dtype === b.dtype, 'where wants bool and two of one type', inputs);
    return { dtype: a.dtype, shape: broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape)) };
  },
  sum: reduced,
  max: reduced,
  reshape: reshaped,
  transpose: (inputs, { permutation }) => {
    const { dtype, shape } = operand(inputs, 0);
    check(
      [...permutation].sort((a, b) => a - b).join() === [...shape.keys()].join(),
      'no permutation',
      inputs,
    );
    return { dtype, shape: permutation.map((axis) => shape[axis] as number) };
  },
  expand: (inputs, { shape }) => {
    const x = operand(inputs, 0);
    check(
      broadcastShapes(x.shape, shape).join() === shape.join(),
      `cannot expand to [${shape.join()}]`,
      inputs,
    );
    return { dtype: x.dtype, shape };
  },
  slice: (inputs, { starts, ends }) => {
    const { dtype, shape } = operand(inputs, 0);
    const legal = shape.every(
      (size, axis) =>
        (starts[axis] ?? -1) >= 0 && (ends[axis] ?? 0) <= size && (starts[axis] ?? 0) < (ends[axis] ?? 0),
    );
    check(legal && starts.length === shape.length, `cannot slice ${starts.join()}..${ends.join()}`, inputs);
    return { dtype, shape: ends.map((end, axis) => end - (starts[axis] as number)) };
  },
  pad: (inputs, { before, after }) => {
    const { dtype, shape } = operand(inputs, 0);
    const legal = [before, after].every(
      (sizes) => sizes.length === shape.length && sizes.every((size) => size >= 0),
    );
    check(legal, 'pad wants every axis, and no less than zero', inputs);
    return {
      dtype,
      shape: shape.map((size, axis) => size + (before[axis] as number) + (after[axis] as number)),
    };
  },
  concat: (inputs, { axis }) => {
    const first = operand(inputs, 0);
    const fits = (size: number, i: number): boolean => i === axis || size === first.shape[i];
    const alike =
      oneType(inputs) &&
      axis < first.shape.length &&
      inputs.every(({ shape }) => shape.length === first.shape.length && shape.every(fits));
    check(alike, `cannot join along axis ${axis}`, inputs);
    const total = inputs.reduce((size, value) => size + (value.shape[axis] as number), 0);
    return { dtype: first.dtype, shape: first.shape.map((size, i) => (i === axis ? total : size)) };
  },
  upsample: (inputs, { factor }) => {
    const { dtype, shape } = operand(inputs, 0);
    check(shape.length === 4, 'upsample wants [b,c,h,w]', inputs);
    return { dtype, shape: shape.map((size, axis) => (axis < 2 ? size : size * factor)) };
  },
  matmul: (inputs, { transA, transB }) => {
    const [a, b] = [operand(inputs, 0), operand(inputs, 1)];
    const [m, k] = matrix(a, transA, inputs);
    const [k2, n] = matrix(b, transB, inputs);
    check(oneType(inputs), 'matrices differ in type', inputs);
    check(k === k2, 'matrices do not fit', inputs);
    return { dtype: a.dtype, shape: [...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n] };
  },
  gemm: (inputs, { transA, transB }) => {
    const [a, b, bias] = [operand(inputs, 0), operand(inputs, 1), inputs[2]];
    const [m, k] = matrix(a, transA, inputs);
    const [k2, n] = matrix(b, transB, inputs);
    check(oneType(inputs), 'matrices differ in type', inputs);
    check(a.shape.length === 2 && b.shape.length === 2 && k === k2, 'matrices do not fit', inputs);
    check(!bias || bias.shape.join() === `${n}`, 'bias does not fit', inputs);
    return { dtype: a.dtype, shape: [m, n] };
  },
  conv2d: (inputs, attributes) => {
    const [x, weight, bias] = [operand(inputs, 0), operand(inputs, 1), inputs[2]];
    check(x.shape.length === 4 && weight.shape.length === 4, 'channels do not fit', inputs);
    const [batch, channels] = dims4(x.shape);
    const [out, each] = dims4(weight.shape);
    const { groups = 1 } = attributes;
    const legal = each * groups === channels && out % groups === 0;
    check(legal && oneType(inputs), 'channels do not fit', inputs);
    check(!bias || bias.shape.join() === `${out}`, 'bias does not fit', inputs);
    const size = convSize(x.shape.slice(2), weight.shape.slice(2), attributes);
    check(size[0] > 0 && size[1] > 0, 'the kernel is larger than the padded input', inputs);
    return { dtype: x.dtype, shape: [batch, out, ...size] };
  },
  conv2dInputGradient: (inputs, attributes) => {
    const [gradient, weight] = [operand(inputs, 0), operand(inputs, 1)];
    const size = convSize(attributes.size, weight.shape.slice(2), attributes);
    const legal = gradient.shape[1] === weight.shape[0] && size.join() === gradient.shape.slice(2).join();
    check(legal && oneType(inputs), 'gradient does not fit', inputs);
    return {
      dtype: gradient.dtype,
      shape: [gradient.shape[0] as number, weight.shape[1] as number, ...attributes.size],
    };
  },
  conv2dWeightGradient: (inputs, attributes) => {
    const [x, gradient] = [operand(inputs, 0), operand(inputs, 1)];
    const size = convSize(x.shape.slice(2), attributes.kernel, attributes);
    const legal = gradient.shape[0] === x.shape[0] && size.join() === gradient.shape.slice(2).join();
    check(legal && oneType(inputs), 'gradient does not fit', inputs);
    return {
      dtype: x.dtype,
      shape: [gradient.shape[1] as number, x.shape[1] as number, ...attributes.kernel],
    };
  },
  softmax: (inputs, attributes) => {
    check(operand(inputs, 0).shape.length > 0, 'softmax wants an axis', inputs);
    return same(inputs, attributes);
  },
  layerNorm: (inputs) => {
    const [x, scale, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
    const width = `${x.shape.at(-1)}`;
    check(scale.shape.join() === width && bias.shape.join() === width, 'scale and bias do not fit', inputs);
    return x;
  },
  groupNorm: (inputs, { groups }) => {
    const [x, scale, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
    const channels = x.shape[1] as number;
    check(channels % groups === 0, `channels do not divide by ${groups} groups`, inputs);
    check(
      scale.shape.join() === `${channels}` && bias.shape.join() === `${channels}`,
      'scale and bias do not fit',
      inputs,
    );
    return x;
  },
  attention: attended,
  attentionGradient: (inputs, attributes) => {
    const q = attended(inputs, attributes);
    const like = (value: Value): boolean => value.dtype === q.dtype && sameShape(value.shape, q.shape);
    check(like(operand(inputs, 3)) && like(operand(inputs, 4)), 'gradient does not fit', inputs);
    const [batch, targets, width] = dims3(q.shape);
    return { dtype: q.dtype, shape: [batch, targets + 2 * (operand(inputs, 1).shape[1] as number), width] };
  },
  gather: (inputs) => {
    const [table, ids] = [operand(inputs, 0), operand(inputs, 1)];
    check(table.shape.length === 2 && ids.dtype === 'i64', 'gather wants a table and i64 ids', inputs);
    return { dtype: table.dtype, shape: [...ids.shape, table.shape[1] as number] };
  },
  scatterAdd: (inputs, { rows }) => {
    const [ids, updates] = [operand(inputs, 0), operand(inputs, 1)];
    check(
      ids.dtype === 'i64' && [...updates.shape.slice(0, -1), 1].join() === ids.shape.join(),
      'rows do not fit',
      inputs,
    );
    return { dtype: updates.dtype, shape: [rows, updates.shape.at(-1) as number] };
  },
  barrier: same,
  detach: same,
};

function unreachable(): never {
  throw new Error('a leaf has no shape rule');
}
