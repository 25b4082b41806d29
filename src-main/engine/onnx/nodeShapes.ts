import { dims4, elementCount, type Shape } from '../tensor/tensor.ts';
import { broadcastShapes } from '../graph/shapeRules.ts';
import type { AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto } from './schema.ts';
import { entryOf } from '../../../src-shared/entryOf.ts';

/** What a value of an ONNX graph is: its sizes, and its type as TensorProto.DataType. */
export interface NodeType {
  readonly shape: Shape;
  readonly type: number;
}

type Integers = (name: string | undefined) => readonly number[];
type Rule = (inputs: readonly NodeType[], node: NodeProto, integers: Integers) => Shape;

const [int64, bool] = [7, 9];

const attribute = (node: NodeProto, name: string): AttributeProto | undefined =>
  node.attribute.find((one) => one.name === name);
const ints = (node: NodeProto, name: string): readonly number[] => attribute(node, name)?.ints ?? [];
const whole = (node: NodeProto, name: string, fallback: number): number =>
  attribute(node, name)?.i ?? fallback;

/** The shape of an operand that the operation must have. */
function shapeOf(operand: NodeType | undefined): Shape {
  if (!operand) throw new Error('an operand is missing');
  return operand.shape;
}

const first: Rule = ([x]) => shapeOf(x);
const broadcast: Rule = (inputs) => inputs.map(({ shape }) => shape).reduce(broadcastShapes);

const reduced: Rule = ([x], node, integers) => {
  const shape = shapeOf(x);
  const axes = integers(node.input[1]);
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return whole(node, 'keepdims', 1) ? kept : kept.filter((_, axis) => !axes.includes(axis));
};

const reshaped: Rule = ([x], node, integers) => {
  const shape = shapeOf(x);
  // A barrier's target is computed: everything in one axis.
  const wanted = integers(node.input[1]);
  const target = wanted.length ? wanted : [-1];
  const known = target.reduce((product, size) => (size < 0 ? product : product * size), 1);
  return target.map((size) => (size < 0 ? elementCount(shape) / known : size));
};

const transposed = (shape: Shape, by: number): Shape =>
  by ? [...shape.slice(0, -2), shape.at(-1) as number, shape.at(-2) as number] : shape;

const product: Rule = ([a, b], node) => {
  const left = transposed(shapeOf(a), whole(node, 'transA', 0));
  const right = transposed(shapeOf(b), whole(node, 'transB', 0));
  const batch = broadcastShapes(left.slice(0, -2), right.slice(0, -2));
  return [...batch, left.at(-2) as number, right.at(-1) as number];
};

const sliced: Rule = ([x], node, integers) => {
  const shape = [...shapeOf(x)];
  const [, starts, ends, axes, steps] = node.input;
  const [from, to, by] = [integers(starts), integers(ends), integers(steps)];
  integers(axes).forEach((axis, i) => {
    shape[axis] = Math.ceil(((to[i] as number) - (from[i] as number)) / (by[i] ?? 1));
  });
  return shape;
};

const convolved: Rule = ([x, weight], node) => {
  const [batch, , ...size] = dims4(shapeOf(x));
  const [to] = dims4(shapeOf(weight));
  const [kernel, pads, strides] = [ints(node, 'kernel_shape'), ints(node, 'pads'), ints(node, 'strides')];
  const along = (axis: 0 | 1): number =>
    Math.floor(
      (size[axis] + (pads[axis] ?? 0) + (pads[axis + 2] ?? 0) - (kernel[axis] as number)) /
        (strides[axis] ?? 1),
    ) + 1;
  return [batch, to, along(0), along(1)];
};

const convolvedBack: Rule = ([x, weight], node) => {
  const [batch, , ...size] = dims4(shapeOf(x));
  const [, from] = dims4(shapeOf(weight));
  const [kernel, pads, strides] = [ints(node, 'kernel_shape'), ints(node, 'pads'), ints(node, 'strides')];
  const more = ints(node, 'output_padding');
  const along = (axis: 0 | 1): number =>
    (strides[axis] ?? 1) * (size[axis] - 1) +
    (kernel[axis] as number) -
    (pads[axis] ?? 0) -
    (pads[axis + 2] ?? 0) +
    (more[axis] ?? 0);
  return [batch, from, along(0), along(1)];
};

/** The operations that we write, besides loops. */
const rules: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    [
      'Neg',
      'Exp',
      'Log',
      'Sqrt',
      'Reciprocal',
      'Sigmoid',
      'Tanh',
      'Relu',
      'Sin',
      'Cos',
      'Erf',
      'Cast',
      'Softmax',
    ]
      .concat(['InstanceNormalization', 'LayerNormalization', 'Gelu', 'QuickGelu', 'MultiHeadAttention'])
      .concat(['Identity', 'ScatterND'])
      .map((op) => [op, first]),
  ),
  ...Object.fromEntries(['Add', 'Sub', 'Mul', 'Div', 'Less', 'Equal', 'Where'].map((op) => [op, broadcast])),
  ReduceSum: reduced,
  ReduceMax: reduced,
  Reshape: reshaped,
  Flatten: ([x], node) => {
    const shape = shapeOf(x);
    const axis = whole(node, 'axis', 1);
    return [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis))];
  },
  Transpose: ([x], node) => ints(node, 'perm').map((axis) => shapeOf(x)[axis] as number),
  Expand: ([x], node, integers) => broadcastShapes(shapeOf(x), integers(node.input[1])),
  Slice: sliced,
  Pad: ([x], node, integers) => {
    const shape = shapeOf(x);
    const pads = integers(node.input[1]);
    return shape.map((size, axis) => size + (pads[axis] as number) + (pads[axis + shape.length] as number));
  },
  Concat: (inputs, node) => {
    const axis = whole(node, 'axis', 0);
    const total = inputs.reduce((sum, { shape }) => sum + (shape.at(axis) as number), 0);
    return shapeOf(inputs[0]).map((size, i, { length }) => (i === (axis + length) % length ? total : size));
  },
  Resize: ([x]) => shapeOf(x).map((size, axis) => (axis < 2 ? size : 2 * size)),
  MatMul: product,
  FusedMatMul: product,
  Gemm: product,
  Conv: convolved,
  ConvTranspose: convolvedBack,
  Gather: ([x, ids], node) => {
    const [shape, picked] = [shapeOf(x), shapeOf(ids)];
    const axis = whole(node, 'axis', 0);
    return [...shape.slice(0, axis), ...picked, ...shape.slice(axis + 1)];
  },
};

/** The type of every value of a graph by its name. Throws for an operation that it does not know: a loop, which the CPU alone gets. */
export function nodeTypes(
  { initializer, input, node }: GraphProto,
  order: readonly NodeProto[],
): Map<string, NodeType> {
  const types = new Map<string, NodeType>();
  const constants = new Map(initializer.map((tensor) => [tensor.name, tensor]));
  for (const { name, dims, data_type: type } of initializer) types.set(name, { shape: dims, type });
  for (const declared of input) {
    const known = typeOf(declared);
    if (known && !constants.has(declared.name)) types.set(declared.name, known);
  }
  const integers: Integers = (name) => (name ? values(constants.get(name)) : []);
  if (order.length !== node.length) throw new Error('the order is not of this graph');
  for (const one of order) {
    const [output] = one.output;
    if (one.op_type === 'SequenceConstruct') continue;
    const rule = rules[one.op_type];
    if (!rule || output === undefined) throw new Error(`no shapes are known of ${one.op_type}`);
    const inputs = one.input.filter(Boolean).map((name) => entryOf(types, name));
    types.set(output, { shape: rule(inputs, one, integers), type: typeAfter(one, inputs) });
  }
  return types;
}

function typeAfter(node: NodeProto, inputs: readonly NodeType[]): number {
  if (node.op_type === 'Cast') return whole(node, 'to', 1);
  if (node.op_type === 'Less' || node.op_type === 'Equal') return bool;
  const [condition, chosen] = inputs;
  const from = node.op_type === 'Where' ? chosen : condition;
  if (!from) throw new Error('an operand is missing');
  return from.type;
}

function typeOf({ type }: ValueInfoProto): NodeType | undefined {
  if (!('tensor_type' in type)) return undefined;
  const { elem_type, shape } = type.tensor_type;
  return { type: elem_type, shape: shape.dim.map((size) => ('dim_value' in size ? size.dim_value : -1)) };
}

function values(tensor: TensorProto | undefined): number[] {
  if (tensor?.data_type !== int64 || !tensor.raw_data) return [];
  const bytes = tensor.raw_data.slice();
  return Array.from(new BigInt64Array(bytes.buffer), Number);
}
