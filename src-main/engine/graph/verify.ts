import { sameShape } from '../tensor/tensor.ts';
import { topological, type Graph } from './graph.ts';
import type { Node, Op, Value } from './ops.ts';
import { print } from './print.ts';
import { shapeRules, type Type } from './shapeRules.ts';

/**
 * Checks a whole graph before it is handed on: every value has the type its rule gives it, operands come
 * before users, and a name stands for one leaf or output only. Throws with the offending line of the printout.
 */
export function verify(graph: Graph): void {
  const names = new Map<string, Value>();
  for (const value of topological(Object.values(graph.outputs))) {
    const fault = faultOf(value, names);
    if (fault)
      throw new Error(
        `${fault}\n${print({ outputs: { '': value } })
          .split('\n')
          .slice(-3)
          .join('\n')}`,
      );
  }
  const taken = Object.keys(graph.outputs).find((name) => names.has(name));
  if (taken !== undefined) throw new Error(`an output is named like the leaf ${taken}`);
}

function faultOf(value: Value, names: Map<string, Value>): string | undefined {
  if (!value.shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    return 'a size is not a whole number';
  if (value.inputs.some((operand) => operand.id >= value.id)) return 'an operand is younger than its user';
  if (value.op === 'input' || value.op === 'parameter') {
    const other = names.get(value.attributes.name);
    if (other && other !== value) return `two leaves are named ${value.attributes.name}`;
    names.set(value.attributes.name, value);
    return undefined;
  }
  const type = typeOf(value as Node<Op>);
  return type.dtype === value.dtype && sameShape(type.shape, value.shape)
    ? undefined
    : 'the type is not what the rule says';
}

function typeOf<K extends Op>(value: Node<K>): Type {
  return shapeRules[value.op](value.inputs, value.attributes);
}
