import { apply, barrier } from '../graph/build.ts';
import { topological } from '../graph/graph.ts';
import type { Node, Op, Value } from '../graph/ops.ts';

/** Which forward values the backward part computes again instead of having them kept for it. */
export type Recomputable = (value: Value) => boolean;

/**
 * Gradient checkpointing (Chen et al. 2016, "Training deep nets with sublinear memory cost") as a graph pass: `outputs`, of a
 * graph with `loss` and its gradients, with every use of a recomputable forward value after the loss replaced by a clone.
 * Clones start behind barriers on what is kept and on the gradient that came last, so they are neither computed early nor
 * merged with the originals; each value is cloned once. The numbers are the same bits.
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
  // All of the backward part anew, so that the order of creation stays the order of computation.
  for (const value of topological(Object.values<Value>(outputs))) {
    // What no run changes is folded before the first: nothing can wait for it.
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

/** Weights and constants, and slices of them, which may be pieces of a file: in memory all the time. */
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

/** What costs little time beside the products before it, and as much memory as they do. Sums are kept in their addends' place. */
const cheapOps: ReadonlySet<Op> = new Set<Op>([
  ...(['swish', 'gelu', 'relu', 'sigmoid', 'tanh', 'exp', 'erf', 'neg', 'mul', 'cast'] as const),
  ...(['reshape', 'transpose', 'expand', 'slice', 'pad', 'concat', 'upsample'] as const),
  ...(['layerNorm', 'groupNorm'] as const),
]);

/** Recomputes norms, activations and layout from the products and sums that are kept: little time, much memory. */
export const cheap: Recomputable = (value) => cheapOps.has(value.op);

/**
 * Keeps `ends`, the outputs of blocks (all that later blocks read: skip connections too), and recomputes each block inside
 * from them. What comes after the last of them is used at once, so it is kept.
 */
export function blocks(ends: readonly Value[]): Recomputable {
  const inside = new Set(topological(ends));
  for (const end of ends) inside.delete(end);
  return (value) => inside.has(value);
}
