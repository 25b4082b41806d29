import { add, mean, mul, reciprocal, reshape, sqrt, square, sub, sum } from '../graph/build.ts';
import { operand, type Node, type Value } from '../graph/ops.ts';
import { leadingDims } from '../tensor/tensor.ts';

/** x̂ = (x − mean)·rstd over the last axis; dx = rstd·(d − mean(d) − x̂·mean(d·x̂)) with d = g·scale. */
export function layerNormGradient(node: Node<'layerNorm'>, g: Value): Value[] {
  const [x, scale] = [operand(node.inputs, 0), operand(node.inputs, 1)];
  const centred = sub(x, mean(x, [-1], true));
  const rstd = reciprocal(sqrt(add(mean(square(centred), [-1], true), node.attributes.epsilon)));
  const normal = mul(centred, rstd);
  const d = mul(g, scale);
  const dx = mul(rstd, sub(sub(d, mean(d, [-1], true)), mul(normal, mean(mul(d, normal), [-1], true))));
  const rows = [...x.shape.keys()].slice(0, -1);
  return [dx, sum(mul(g, normal), rows), sum(g, rows)];
}

/**
 * The same, with statistics over the channels of a group and all pixels. Every sum that is needed is a
 * combination of two per-channel ones, Σg and Σg·(x − mean), so the full-size work is a few passes:
 * dx = g·(scale·rstd) − (x − mean)·b − c with b, c one number a group.
 */
export function groupNormGradient(node: Node<'groupNorm'>, g: Value): Value[] {
  const [x, scale] = [operand(node.inputs, 0), operand(node.inputs, 1)];
  const { groups, epsilon } = node.attributes;
  const [batch, channels] = leadingDims(x.shape);
  const pixels = x.shape.slice(2).reduce((product, size) => product * size, 1);
  const width = channels / groups;
  const grouped = (value: Value): Value => reshape(value, [batch, groups, width, pixels]);

  const centred = sub(grouped(x), mean(grouped(x), [2, 3], true));
  const rstd = reciprocal(sqrt(add(mean(square(centred), [2, 3], true), epsilon)));
  const gradient = grouped(g);
  const sumG = sum(gradient, [3], true);
  const sumGX = sum(mul(gradient, centred), [3], true);
  const weight = reshape(scale, [1, groups, width, 1]);
  const perGroup = (sums: Value): Value => mul(sum(mul(sums, weight), [2], true), 1 / (width * pixels));
  const b = mul(mul(square(rstd), rstd), perGroup(sumGX));
  const c = mul(rstd, perGroup(sumG));
  const dx = sub(sub(mul(gradient, mul(weight, rstd)), mul(centred, b)), c);
  const dScale = sum(reshape(mul(sumGX, rstd), [batch, channels]), [0]);
  return [reshape(dx, x.shape), dScale, sum(reshape(sumG, [batch, channels]), [0])];
}
