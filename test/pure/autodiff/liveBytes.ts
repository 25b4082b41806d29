import { topological } from '../../../src-main/engine/graph/graph.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import { bytesPerElement, elementCount } from '../../../src-main/engine/tensor/tensor.ts';

/**
 * The most bytes alive at a time when a graph is computed in order of creation and each value is freed after its last use.
 * Leaves are somebody else's; reshapes and barriers share their operand's memory.
 */
export function peakBytes(outputs: Readonly<Record<string, Value>>): number {
  const order = topological(Object.values(outputs));
  const owner = new Map<Value, Value>();
  for (const value of order) {
    const shared = value.op === 'reshape' || value.op === 'barrier' ? value.inputs[0] : undefined;
    owner.set(value, (shared && owner.get(shared)) ?? value);
  }
  const lastUse = new Map<Value, number>();
  order.forEach((value, at) => {
    for (const operand of [value, ...value.inputs]) lastUse.set(owner.get(operand) as Value, at);
  });
  for (const value of Object.values(outputs)) lastUse.set(owner.get(value) as Value, Infinity);

  const freedAt = new Map<number, number>();
  let [live, peak] = [0, 0];
  order.forEach((value, at) => {
    if (value.inputs.length && owner.get(value) === value) {
      const bytes = elementCount(value.shape) * bytesPerElement[value.dtype];
      live += bytes;
      const end = lastUse.get(value) as number;
      freedAt.set(end, (freedAt.get(end) ?? 0) + bytes);
    }
    peak = Math.max(peak, live);
    live -= freedAt.get(at) ?? 0;
  });
  return peak;
}
