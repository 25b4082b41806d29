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
 * Moves what devices are bad at to the host, as far as it depends on inputs alone. Sines and cosines (of timesteps): shading languages
 * promise a sine only to 2⁻¹¹, and the angles reach 1,000. Layouts of integers (token ids): WebGPU has no kernels for them, so ONNX Runtime
 * would compute them on the CPU in the midst of a run, and copy.
 */
export function hostPart(graph: Graph): HostPart {
  const order = topological(Object.values(graph.outputs));
  const early = new Set<Value>();
  /** Values that the device needs too. */
  const needed = new Set<Value>();
  for (const value of order) {
    const given = value.op === 'input' || value.op === 'constant';
    if (given || (value.inputs.length > 0 && value.inputs.every((operand) => early.has(operand))))
      early.add(value);
    else for (const operand of value.inputs) needed.add(operand);
  }
  const isWave = ({ op }: Value): boolean => op === 'sin' || op === 'cos';
  const isLayout = (value: Value): boolean =>
    value.dtype === 'i64' && value.inputs.length > 0 && needed.has(value);
  const moved = order.filter((value) => early.has(value) && (isWave(value) || isLayout(value)));
  if (!moved.length) return { host: undefined, device: graph };
  const outputs = Object.fromEntries(moved.map((value, i) => [`host.${i}`, value]));
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
