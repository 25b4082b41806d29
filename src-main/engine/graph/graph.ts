import type { Value } from './ops.ts';

/** A computation: everything its named outputs need. */
export interface Graph {
  readonly outputs: Readonly<Record<string, Value>>;
}

/** Every value that `outputs` depend on, operands before their users. */
export function topological(outputs: Iterable<Value>): Value[] {
  const seen = new Set<Value>();
  const pending = [...outputs];
  for (let value = pending.pop(); value; value = pending.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    pending.push(...value.inputs);
  }
  // Operands exist before what uses them, so the order of creation is a topological one.
  return [...seen].sort((a, b) => a.id - b.id);
}

/** The names and values of the graph's inputs and parameters. */
export function leaves(graph: Graph, op: 'input' | 'parameter'): Map<string, Value> {
  const found = new Map<string, Value>();
  for (const value of topological(Object.values(graph.outputs))) {
    if (value.op === op) found.set(value.attributes.name, value);
  }
  return found;
}
