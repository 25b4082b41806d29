import { elementCount, leadingDims, type DType } from '../tensor/tensor.ts';
import { add, apply, concat, slice } from './build.ts';
import { topological, type Graph } from './graph.ts';
import { operand, type Node, type Op, type Value } from './ops.ts';

/** Elements of the largest kernel that is used whole: 16 MB in 16 bits. */
const wholeAtMost = 1 << 23;
/**
 * Elements of a weight that are cast to f32 at a time, where one is at each run: 8.8 MB. So many are in 192 outputs of 3×3 kernels for
 * 1,280 channels, 128 for 1,920 and 96 for 2,560, and in f16 they are more than the 4 MiB below which Dawn rounds a buffer up.
 */
const castAtOnce = 192 * 1280 * 9;

/**
 * The graph with large stored kernels used in stretches of their outputs, in convolutions and their input gradients. WebGPU lays a kernel
 * out anew at each run, and a turned one is another copy: a deep layer's 59 MB would lie there two or three times. So would a weight
 * that is stored in another type, matrices included. A stretch of outputs is contiguous in the weight's file, so it takes no copy.
 * `storedAs`: the type that a parameter is stored in, if it is.
 */
export function splitKernels(graph: Graph, storedAs: (parameter: string) => DType | undefined): Graph {
  const order = topological(Object.values(graph.outputs));
  // A weight that is used whole too, for an input's gradient, would lie there twice.
  const users = new Map<Value, readonly Value[]>();
  for (const value of order)
    for (const used of value.inputs) users.set(used, [...(users.get(used) ?? []), value]);
  const endsOf = (value: Value): Ends => {
    const [, weight] = value.inputs;
    const source = weight?.op === 'slice' && weight.inputs[0] ? weight.inputs[0] : weight;
    const stored = source?.op === 'parameter' ? storedAs(source.attributes.name) : undefined;
    if (!weight || !stored) return [];
    const isCast = stored !== weight.dtype;
    const convolves =
      value.op === 'conv2dInputGradient' || (value.op === 'conv2d' && !value.attributes.groups);
    if (convolves && source === weight) return isCast ? likeParts(weight) : equalParts(weight);
    return isCast && byRows(value) && isRows(weight) && (users.get(weight) ?? []).every(byRows)
      ? likeParts(weight)
      : [];
  };
  const isSplit = (value: Value): boolean => endsOf(value).length > 1;
  if (!order.some(isSplit)) return graph;
  const made = new Map<Value, Value>();
  const cut = new Map<Value, readonly Value[]>();
  /** The stretches of a weight or bias, the same for all who use it. */
  const stretchesOf = (whole: Value, ends: Ends): readonly Value[] => {
    const known = cut.get(whole) ?? stretches(whole, 0, ends);
    cut.set(whole, known);
    return known;
  };
  const now = (value: Value): Value => made.get(value) ?? value;
  // All of it is rebuilt, so that the order of creation stays the order of computation.
  for (const value of order) {
    if (!value.inputs.length) continue;
    const operands = value.inputs.map(now);
    const { op, attributes } = value as Node<Op>;
    made.set(
      value,
      isSplit(value)
        ? inStretches(value, operands, endsOf(value), stretchesOf)
        : apply(op, operands, attributes),
    );
  }
  const outputs = Object.entries(graph.outputs).map(([name, value]) => [name, now(value)]);
  return { outputs: Object.fromEntries(outputs) as Record<string, Value> };
}

/** A row of the matrix is an output. */
const byRows = (value: Value): boolean =>
  value.op === 'gemm' && value.attributes.transB && !value.attributes.transA;

/** Whether a weight is a whole one, or some of its rows. */
function isRows(weight: Value): boolean {
  if (weight.op !== 'slice') return true;
  const { starts, ends } = weight.attributes;
  const whole = weight.inputs[0]?.shape ?? [];
  return whole.every((size, axis) => axis === 0 || (starts[axis] === 0 && ends[axis] === size));
}

/** Where the stretches of a kernel's outputs end. */
type Ends = readonly number[];

/** The fewest equal stretches of a kernel's outputs that are not too large; each of whole sixteens, which kernels are quick with. */
function equalParts({ shape }: Value): Ends {
  const [outputs] = leadingDims(shape);
  const elements = elementCount(shape);
  for (let count = 1; outputs / count >= 16; count++)
    if (outputs % (16 * count) === 0 && elements / count <= wholeAtMost)
      return Array.from({ length: count }, (_, i) => ((i + 1) * outputs) / count);
  return [outputs];
}

/** Stretches of one size in bytes whatever the kernel's, so that they use the same buffers one after the other, and a rest. */
function likeParts({ shape }: Value): Ends {
  const [outputs] = leadingDims(shape);
  const sixteen = (16 * elementCount(shape)) / outputs;
  const length = 16 * Math.max(1, Math.floor(castAtOnce / sixteen));
  const count = Math.ceil(outputs / length);
  return Array.from({ length: count }, (_, i) => Math.min(outputs, (i + 1) * length));
}

function stretches(whole: Value, axis: number, ends: Ends): Value[] {
  // A stretch of some rows of a weight is one of the weight.
  const [source, from] =
    whole.op === 'slice' && axis === 0 && isRows(whole)
      ? [whole.inputs[0] as Value, whole.attributes.starts[0] as number]
      : [whole, 0];
  return ends.map((end, i) => slice(source, axis, from + (ends[i - 1] ?? 0), from + end));
}

function inStretches(
  value: Value,
  operands: readonly Value[],
  ends: Ends,
  stretchesOf: (whole: Value, ends: Ends) => readonly Value[],
): Value {
  const [x, weight, bias] = [operand(operands, 0), operand(operands, 1), operands[2]];
  const weights = stretchesOf(weight, ends);
  if (value.op === 'conv2dInputGradient') {
    const gradients = stretches(x, 1, ends);
    return weights
      .map((some, i) => apply(value.op, [operand(gradients, i), some], value.attributes))
      .reduce((sum, one) => add(sum, one));
  }
  const { op, attributes } = value as Node<Op>;
  const biases = bias && stretchesOf(bias, ends);
  const made = weights.map((some, i) =>
    apply(op, biases ? [x, some, operand(biases, i)] : [x, some], attributes),
  );
  return concat(made, 1);
}
