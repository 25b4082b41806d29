import type { Node } from '../graph/ops.ts';
import { f32, leadingDims } from '../tensor/tensor.ts';
import type { Emitter } from './emitter.ts';

/** Group normalization as an instance normalization over [b, groups, rest], then each channel's scale and bias. */
export function emitGroupNorm(
  node: Node<'groupNorm'>,
  [x = '', scale = '', bias = '']: readonly string[],
  e: Emitter,
): string {
  const [batch, channels] = leadingDims(node.shape);
  const { groups, epsilon } = node.attributes;
  const ones = e.floats(f32([groups], Array<number>(groups).fill(1)), node.dtype);
  const grouped = e.reshape(x, [batch, groups, -1]);
  const normal = e.emit('InstanceNormalization', [grouped, ones, e.floats(f32([groups]), node.dtype)], {
    epsilon: { float: epsilon },
  });
  const channelwise = [channels, ...node.shape.slice(2).map(() => 1)];
  const scaled = e.emit('Mul', [e.reshape(normal, node.shape), e.reshape(scale, channelwise)]);
  return e.emit('Add', [scaled, e.reshape(bias, channelwise)]);
}
