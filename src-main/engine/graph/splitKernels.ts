import { elementCount, leadingDims } from '../tensor/tensor.ts';
import { add, apply, concat, slice } from './build.ts';
import { topological, type Graph } from './graph.ts';
import { operand, type Node, type Op, type Value } from './ops.ts';

/** Elements of the largest kernel that is used whole: 16 MB in 16 bits. */
const wholeAtMost = 1 << 23;

/**
 * The graph with large stored kernels used in stretches of their outputs, in convolutions and their input gradients. WebGPU lays a kernel
 * out anew at each run, and a turned one is another copy: a deep layer's 59 MB would lie there two or three times. A stretch of
 * outputs is contiguous in the weight's file, so it takes no copy. `isStored`: whether a parameter is.
 */
export function splitKernels(graph: Graph, isStored: (parameter: string) => boolean): Graph {
  const order = topological(Object.values(graph.outputs));
  const isSplit = (value: Value): boolean => {
    const [, weight] = value.inputs;
    const convolves =
      value.op === 'conv2dInputGradient' || (value.op === 'conv2d' && !value.attributes.groups);
    return convolves && weight?.op === 'parameter' && isStored(weight.attributes.name) && parts(weight) > 1;
  };
  if (!order.some(isSplit)) return graph;
  const made = new Map<Value, Value>();
  const cut = new Map<Value, readonly Value[]>();
  /** The stretches of a weight or bias, the same for all who use it. */
  const stretchesOf = (whole: Value, count: number): readonly Value[] => {
    const known = cut.get(whole) ?? stretches(whole, 0, count);
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
      isSplit(value) ? inStretches(value, operands, stretchesOf) : apply(op, operands, attributes),
    );
  }
  const outputs = Object.entries(graph.outputs).map(([name, value]) => [name, now(value)]);
  return { outputs: Object.fromEntries(outputs) as Record<string, Value> };
}

/** The fewest equal stretches of a kernel's outputs that are not too large; each of whole sixteens, which kernels are quick with. */
function parts(weight: Value): number {
  const [outputs] = leadingDims(weight.shape);
  const elements = elementCount(weight.shape);
  for (let count = 1; outputs / count >= 16; count++)
    if (outputs % (16 * count) === 0 && elements / count <= wholeAtMost) return count;
  return 1;
}

function stretches(whole: Value, axis: number, count: number): Value[] {
  const length = (whole.shape[axis] as number) / count;
  return Array.from({ length: count }, (_, i) => slice(whole, axis, i * length, (i + 1) * length));
}

function inStretches(
  value: Value,
  operands: readonly Value[],
  stretchesOf: (whole: Value, count: number) => readonly Value[],
): Value {
  const [x, weight, bias] = [operand(operands, 0), operand(operands, 1), operands[2]];
  const count = parts(weight);
  const weights = stretchesOf(weight, count);
  if (value.op === 'conv2dInputGradient') {
    const gradients = stretches(x, 1, count);
    return weights
      .map((some, i) => apply(value.op, [operand(gradients, i), some], value.attributes))
      .reduce((sum, one) => add(sum, one));
  }
  const { attributes } = value as Node<'conv2d'>;
  const biases = bias && stretchesOf(bias, count);
  const made = weights.map((some, i) =>
    apply('conv2d', biases ? [x, some, operand(biases, i)] : [x, some], attributes),
  );
  return concat(made, 1);
}
