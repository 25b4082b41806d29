import { apply, input } from './build.ts';
import { topological, type Graph } from './graph.ts';
import type { Node, Op, Value } from './ops.ts';

/**
 * Cuts a graph into pieces whose parameters stay within `limit` (in the unit of `sizeOf`; a larger parameter gets a piece of its
 * own). Run in order, each fed what earlier ones computed, the pieces give the graph's outputs. A value that crosses a cut is the
 * output "cut.N" of one piece and an input of others.
 */
export function pieces(graph: Graph, sizeOf: (parameter: Value) => number, limit: number): Graph[] {
  const order = topological(Object.values(graph.outputs)).filter((value) => value.inputs.length > 0);
  const pieceOf = new Map<Value, number>();
  let [piece, size] = [0, 0];
  let held = new Set<Value>();
  for (const value of order) {
    const more = value.inputs.filter((operand) => operand.op === 'parameter' && !held.has(operand));
    const bytes = more.reduce((sum, operand) => sum + sizeOf(operand), 0);
    if (size > 0 && size + bytes > limit) {
      [piece, size, held] = [piece + 1, 0, new Set()];
      for (const operand of value.inputs)
        if (operand.op === 'parameter') size += held.has(operand) ? 0 : sizeOf(operand);
    } else size += bytes;
    for (const operand of value.inputs) if (operand.op === 'parameter') held.add(operand);
    pieceOf.set(value, piece);
  }

  const outputs = Array.from({ length: piece + 1 }, (): Record<string, Value> => ({}));
  const copies = outputs.map(() => new Map<Value, Value>());
  const here = (value: Value, at: number): Value => {
    const from = pieceOf.get(value);
    if (from === undefined || from === at) return copies[at]?.get(value) ?? value;
    const name = `cut.${value.id}`;
    (outputs[from] as Record<string, Value>)[name] = copies[from]?.get(value) as Value;
    return memo(copies[at] as Map<Value, Value>, value, () => input(name, value.shape, value.dtype));
  };
  for (const value of order) {
    const at = pieceOf.get(value) as number;
    const { op, attributes } = value as Node<Op>;
    const made = apply(
      op,
      value.inputs.map((operand) => here(operand, at)),
      attributes,
    );
    copies[at]?.set(value, made);
  }
  for (const [name, value] of Object.entries(graph.outputs)) {
    const at = pieceOf.get(value) ?? piece;
    (outputs[at] as Record<string, Value>)[name] = copies[at]?.get(value) ?? value;
  }
  return outputs.map((of) => ({ outputs: of }));
}

function memo(known: Map<Value, Value>, key: Value, make: () => Value): Value {
  const made = known.get(key) ?? make();
  known.set(key, made);
  return made;
}
