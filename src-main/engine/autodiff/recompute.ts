import { elementCount } from '../tensor/tensor.ts';
import { apply, barrier } from '../graph/build.ts';
import { topological } from '../graph/graph.ts';
import type { Node, Op, Value } from '../graph/ops.ts';

/** Which forward values the backward pass recomputes instead of keeping. */
export type Recomputable = (value: Value) => boolean;

/**
 * Gradient checkpointing (Chen et al. 2016, "Training deep nets with sublinear memory cost") as a graph pass: `outputs`, of a
 * graph with `loss` and its gradients, with every use of a recomputable forward value after the loss replaced by a clone. Clones
 * wait behind barriers, on the kept values and on the latest gradient, so they are neither computed early nor merged with the
 * originals. Each value is cloned once. Results are the same to the bit.
 */
export function recompute<K extends string>(
  outputs: Readonly<Record<K, Value>>,
  loss: Value,
  recomputable: Recomputable,
): Record<K, Value> {
  const forward = new Set(topological([loss]));
  const results = new Set<Value>([loss, ...Object.values<Value>(outputs)]);
  const again = (value: Value): boolean =>
    forward.has(value) &&
    !results.has(value) &&
    value.inputs.length > 0 &&
    !stored(value) &&
    recomputable(value);

  /** Kept values behind their barriers, recomputed ones as their clones. */
  const late = new Map<Value, Value>();
  let latest = loss;
  const guarded = (value: Value): Value => memo(late, value, () => barrier(value, latest));
  const clone = (value: Value): Value =>
    memo(late, value, () => {
      const operands = value.inputs.map((operand) =>
        again(operand) ? clone(operand) : stored(operand) ? operand : guarded(operand),
      );
      const waiting = (x: Value, i: number): Value => (i === 0 ? guarded(x) : x);
      return copy(value, operands.every(stored) ? operands.map(waiting) : operands);
    });

  const rebuilt = new Map<Value, Value>();
  const fixed = new Set<Value>();
  // The whole backward part is rebuilt, so that the order of creation stays the order of computation.
  for (const value of topological(Object.values<Value>(outputs))) {
    // What is the same in every run is folded before the first one, so nothing can wait for it.
    if (stored(value) || (value.inputs.length > 0 && value.inputs.every((x) => fixed.has(x))))
      fixed.add(value);
    if (forward.has(value) || !value.inputs.length) continue;
    const made = copy(
      value,
      value.inputs.map((x) => (again(x) ? clone(x) : (rebuilt.get(x) ?? x))),
    );
    rebuilt.set(value, made);
    if (!fixed.has(value)) latest = made;
  }
  const entries = Object.entries<Value>(outputs).map(([name, value]) => [name, rebuilt.get(value) ?? value]);
  return Object.fromEntries(entries) as Record<K, Value>;
}

/** Weights, constants and slices of them (which may be parts of a file): always in memory. */
const stored = (value: Value): boolean =>
  value.op === 'parameter' ||
  value.op === 'constant' ||
  (value.op === 'slice' && stored(value.inputs[0] as Value));

function copy(value: Value, operands: readonly Value[]): Value {
  const { op, attributes } = value as Node<Op>;
  return apply(op, operands, attributes);
}

function memo(known: Map<Value, Value>, key: Value, make: () => Value): Value {
  const made = known.get(key) ?? make();
  known.set(key, made);
  return made;
}

/** Operations that cost little time beside the products before them, but as much memory. A sum is kept instead of its addends. */
const cheapOps: ReadonlySet<Op> = new Set<Op>([
  ...(['swish', 'gelu', 'relu', 'sigmoid', 'tanh', 'exp', 'erf', 'neg', 'mul', 'cast'] as const),
  ...(['reshape', 'transpose', 'expand', 'slice', 'pad', 'concat', 'upsample'] as const),
  ...(['layerNorm', 'groupNorm'] as const),
]);

/** Keeps products and sums, and recomputes norms, activations and layout: saves much memory for little time. */
export const cheap: Recomputable = (value) => cheapOps.has(value.op);

/** Also recomputes products whose result is at least four times as wide as their input: feed-forward layers and their gates. */
export const cheapOrWide: Recomputable = (value) =>
  cheap(value) ||
  (value.op === 'gemm' && elementCount(value.shape) >= 4 * elementCount((value.inputs[0] as Value).shape));

/**
 * Keeps `ends`, the outputs of blocks (all that later blocks read, skip connections too), and recomputes what is inside each
 * block. What follows the last block is used at once, so it is kept.
 */
export function blocks(ends: readonly Value[]): Recomputable {
  const inside = new Set(topological(ends));
  for (const end of ends) inside.delete(end);
  return (value) => inside.has(value);
}
