import type { HalfType, Precision } from '../../../src-shared/domain/precision.ts';
import { inHalves, isHalf } from '../tensor/half.ts';
import type { DType } from '../tensor/tensor.ts';
import { apply, cast, constant, parameter } from './build.ts';
import { topological, type Graph } from './graph.ts';
import type { Node, Op, Value } from './ops.ts';

/** Products, which are computed in 16 bits. */
const halfOps: ReadonlySet<Op> = new Set<Op>(['conv2d', 'gemm', 'matmul', 'attention']);

/**
 * Operations that keep their operands' type: layout, and elementwise work that can't overflow. With two types, the wider one wins.
 */
const followingOps: ReadonlySet<Op> = new Set<Op>([
  ...(['reshape', 'transpose', 'expand', 'slice', 'pad', 'concat', 'upsample'] as const),
  ...(['add', 'sub', 'mul', 'neg', 'swish', 'gelu', 'relu', 'sigmoid', 'tanh'] as const),
]);

/** Operations that are computed in f32 and rounded to 16 bits where what they read is. */
const roundedOps: ReadonlySet<Op> = new Set<Op>(['layerNorm', 'groupNorm']);

/**
 * Mixed precision (Micikevicius et al. 2018; the lists are those of torch.autocast): a forward graph with its products, activations and
 * frozen weights in 16 bits. Everything else stays f32: norms, softmax, sums, losses, inputs, outputs, and the parameters that
 * `staysSingle` names. A gradient of the result is in 16 bits where its value is.
 */
export function mixedPrecision(
  graph: Graph,
  half: HalfType,
  staysSingle: (parameter: string) => boolean = () => false,
): Mixed {
  const order = topological(Object.values(graph.outputs));
  /** Stored weights, constants, and layouts of them: they take any type that is asked for. */
  const flexible = new Set<Value>();
  const types = new Map<Value, DType>();
  /** Rows of a frozen table. Gradients of a trained table are summed in f32. */
  const isStoredRow = ({ op, inputs }: Value): boolean => op === 'gather' && flexible.has(inputs[0] as Value);
  for (const value of order) {
    types.set(value, value.dtype);
    if (value.dtype !== 'f32') continue;
    if (value.op === 'constant' || (value.op === 'parameter' && !staysSingle(value.attributes.name)))
      flexible.add(value);
    else if (halfOps.has(value.op) || isStoredRow(value)) types.set(value, half);
    else if (roundedOps.has(value.op) && types.get(value.inputs[0] as Value) === half) types.set(value, half);
    else if (followingOps.has(value.op)) {
      const decided = value.inputs.filter((operand) => !flexible.has(operand));
      if (!decided.length) flexible.add(value);
      else if (decided.every((operand) => types.get(operand) === half)) types.set(value, half);
    }
  }
  const computedIn = (value: Value): DType =>
    roundedOps.has(value.op) ? 'f32' : (types.get(value) as DType);
  /** Parameters that are needed in 16 bits. */
  const stored = new Set<Value>();
  const ask = (operand: Value, type: DType): void => {
    if (!flexible.has(operand) || type !== half) return;
    if (operand.op === 'parameter') stored.add(operand);
    for (const of of operand.inputs) ask(of, type);
  };
  for (const value of order) {
    if (flexible.has(value)) continue;
    for (const operand of value.inputs) ask(operand, computedIn(value));
  }

  const made = new Map<Value, Value>();
  const turned = new Map<Value, Map<DType, Value>>();
  /** The value in `type`; made once. */
  const as = (value: Value, type: DType): Value => {
    const known = turned.get(value)?.get(type);
    if (known) return known;
    const result = turn(value, type);
    turned.set(value, (turned.get(value) ?? new Map<DType, Value>()).set(type, result));
    return result;
  };
  const turn = (value: Value, type: DType): Value => {
    if (!flexible.has(value)) return cast(made.get(value) as Value, type);
    if (value.op === 'constant')
      return type === 'f32' ? value : constant(inHalves(value.attributes.tensor, type as HalfType));
    if (value.op === 'parameter') return cast(leaf(value), type);
    const { op, attributes } = value as Node<Op>;
    return apply(
      op,
      value.inputs.map((operand) => as(operand, type)),
      attributes,
    );
  };
  const leaf = (value: Value & { op: 'parameter' }): Value =>
    stored.has(value)
      ? (made.get(value) ?? remember(value, parameter(value.attributes.name, value.shape, half)))
      : value;
  const remember = (value: Value, now: Value): Value => {
    made.set(value, now);
    return now;
  };

  for (const value of order) {
    if (flexible.has(value)) continue;
    if (!value.inputs.length) {
      made.set(value, value);
      continue;
    }
    const { op, attributes } = value as Node<Op>;
    const type = computedIn(value);
    // Comparisons keep f32 operands; indices are integers.
    const wanted = (operand: Value): DType =>
      operand.dtype !== 'f32' ? operand.dtype : type === half ? half : 'f32';
    const result = apply(
      op,
      value.inputs.map((operand) => as(operand, wanted(operand))),
      attributes,
    );
    made.set(value, roundedOps.has(op) ? cast(result, types.get(value) as DType) : result);
  }
  const now = (value: Value): Value =>
    flexible.has(value) ? as(value, value.dtype) : (made.get(value) as Value);
  return {
    outputs: Object.fromEntries(
      Object.entries(graph.outputs).map(([name, value]) => [name, cast(now(value), value.dtype)]),
    ),
    now,
  };
}

/** A graph in mixed precision, and the new value for each value of the original graph, in its new type. */
export interface Mixed extends Graph {
  readonly now: (value: Value) => Value;
}

/** A forward graph as it is computed in a precision; see `mixedPrecision`. */
export function inPrecision(
  graph: Graph,
  precision: Precision,
  staysSingle?: (parameter: string) => boolean,
): Graph {
  return precision === 'f32' ? graph : mixedPrecision(graph, precision, staysSingle);
}

/** The 16-bit type that a graph computes in, if any. */
export function halfTypeOf(graph: Graph): HalfType | undefined {
  for (const { op, dtype } of topological(Object.values(graph.outputs)))
    if (halfOps.has(op) && isHalf(dtype)) return dtype;
  return undefined;
}
