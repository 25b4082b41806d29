import type { Node } from '../graph/ops.ts';
import { f32 } from '../tensor/tensor.ts';
import type { Emitter } from './emitter.ts';

/** ONNX Runtime computes attention in blocks; other runtimes get the products and the softmax. */
export function emitAttention(
  node: Node<'attention'>,
  [q = '', k = '', v = '']: readonly string[],
  e: Emitter,
): string {
  const { heads, scale, causal } = node.attributes;
  if (e.target === 'cpu' || (e.target === 'webgpu' && !causal)) {
    return e.emitFused('MultiHeadAttention', [q, k, v], {
      num_heads: heads,
      scale: { float: scale },
      ...(causal && { unidirectional: 1 }),
    });
  }
  const [batch, targets, width] = node.shape as [number, number, number];
  const sources = (node.inputs[1] as { shape: readonly number[] }).shape[1] as number;
  const split = (x: string, length: number, perm: readonly number[]): string =>
    e.emit('Transpose', [e.reshape(x, [batch, length, heads, width / heads])], { perm });
  const product = e.emit('MatMul', [split(q, targets, [0, 2, 1, 3]), split(k, sources, [0, 2, 3, 1])]);
  const scaled = e.emit('Mul', [product, e.float(scale)]);
  const scores = causal ? e.emit('Add', [scaled, e.constant(futureMask(targets, sources))]) : scaled;
  const mixed = e.emit('MatMul', [
    e.emit('Softmax', [scores], { axis: -1 }),
    split(v, sources, [0, 2, 1, 3]),
  ]);
  return e.reshape(e.emit('Transpose', [mixed], { perm: [0, 2, 1, 3] }), node.shape);
}

export function futureMask(targets: number, sources: number): ReturnType<typeof f32> {
  const mask = f32([targets, sources]);
  for (let row = 0; row < targets; row++) mask.data.fill(-1e30, row * sources + row + 1, (row + 1) * sources);
  return mask;
}
