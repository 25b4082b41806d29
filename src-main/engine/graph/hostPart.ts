import { apply, input } from './build.ts';
import { topological, type Graph } from './graph.ts';
import type { Node, Op, Value } from './ops.ts';

/** A graph split in two: from inputs alone, `host` computes what `device` takes as further inputs ("host.0", …). */
export interface HostPart {
  /** Undefined where there is nothing to compute beforehand. */
  readonly host: Graph | undefined;
  readonly device: Graph;
}

/**
 * Moves the sines and cosines of inputs (timestep embeddings) to the host. Shading languages promise a sine only to 2⁻¹¹, and the
 * angles reach 1,000.
 */
export function hostPart(graph: Graph): HostPart {
  const order = topological(Object.values(graph.outputs));
  const early = new Set<Value>();
  for (const value of order) {
    const given = value.op === 'input' || value.op === 'constant';
    if (given || (value.inputs.length > 0 && value.inputs.every((operand) => early.has(operand))))
      early.add(value);
  }
  const waves = order.filter(({ op }, i) => (op === 'sin' || op === 'cos') && early.has(order[i] as Value));
  if (!waves.length) return { host: undefined, device: graph };
  const outputs = Object.fromEntries(waves.map((value, i) => [`host.${i}`, value]));
  const known = new Map(
    Object.entries(outputs).map(([name, value]) => [value, input(name, value.shape, value.dtype)]),
  );
  return { host: { outputs }, device: replaced(graph, known) };
}

/** The graph with the values of `known` replaced, and all that depends on them rebuilt in the same order. */
export function replaced(graph: Graph, known: ReadonlyMap<Value, Value>): Graph {
  const made = new Map(known);
  const now = (value: Value): Value => made.get(value) ?? value;
  for (const value of topological(Object.values(graph.outputs))) {
    if (made.has(value) || !value.inputs.length) continue;
    const { op, attributes } = value as Node<Op>;
    // All of it is rebuilt, so that the order of creation stays the order of computation.
    made.set(value, apply(op, value.inputs.map(now), attributes));
  }
  const outputs = Object.entries(graph.outputs).map(([name, value]) => [name, now(value)]);
  return { outputs: Object.fromEntries(outputs) as Record<string, Value> };
}
