import { add, scalar } from '../graph/build.ts';
import { topological } from '../graph/graph.ts';
import type { Node, Op, Value } from '../graph/ops.ts';
import { gradientRules } from './gradientRules.ts';

/**
 * Reverse-mode gradients of the scalar `loss` with respect to each value of `wrt`, in their order.
 * Only values that lie between `wrt` and the loss get one. Throws where the loss does not depend on a value.
 */
export function backward(loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.shape.length > 0) throw new Error(`the loss must be a scalar, not [${loss.shape.join()}]`);
  const order = topological([loss]);
  const onPath = new Set<Value>(wrt);
  for (const value of order) if (value.inputs.some((operand) => onPath.has(operand))) onPath.add(value);

  const gradients = new Map<Value, Value>([[loss, scalar(1)]]);
  for (const value of order.reverse()) {
    const gradient = gradients.get(value);
    if (!gradient || !onPath.has(value)) continue;
    rule(value as Node<Op>, gradient).forEach((contribution, index) => {
      const operand = value.inputs[index] as Value;
      if (!contribution || !onPath.has(operand)) return;
      const sofar = gradients.get(operand);
      gradients.set(operand, sofar ? add(sofar, contribution) : contribution);
    });
  }
  return wrt.map((value) => {
    const gradient = gradients.get(value);
    if (!gradient) throw new Error(`the loss does not depend on value ${value.id} (${value.op})`);
    return gradient;
  });
}

function rule<K extends Op>(node: Node<K>, gradient: Value): readonly (Value | undefined)[] {
  return gradientRules[node.op](node, gradient);
}
