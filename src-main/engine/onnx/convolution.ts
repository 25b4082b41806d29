import type { ConvAttributes, Node } from '../graph/ops.ts';
import type { Shape } from '../tensor/tensor.ts';
import type { Emitter } from './emitter.ts';

type Size4 = [number, number, number, number];

const shapeOf = (node: { readonly inputs: readonly { readonly shape: Shape }[] }, index: number): Size4 =>
  (node.inputs[index] as { shape: Shape }).shape as Size4;

function attributes({ stride, padding }: ConvAttributes, kernel: readonly number[]): Record<string, readonly number[]> {
  return { kernel_shape: kernel, strides: stride, pads: padding };
}

export function emitConv(node: Node<'conv2d'>, operands: readonly string[], e: Emitter): string {
  return e.emit('Conv', operands, attributes(node.attributes, shapeOf(node, 1).slice(2)));
}

export function emitConvInputGradient(node: Node<'conv2dInputGradient'>, operands: readonly string[], e: Emitter): string {
  const { stride, padding, size } = node.attributes;
  const kernel = shapeOf(node, 1).slice(2) as [number, number];
  const from = shapeOf(node, 0).slice(2) as [number, number];
  // Rows at the far edge that no stride reached: they belong to the input and get no gradient.
  const unreached = ([0, 1] as const).map(
    (axis) => size[axis] - (stride[axis] * (from[axis] - 1) + kernel[axis] - padding[axis] - (padding[axis + 2] as number)),
  );
  return e.emit('ConvTranspose', operands, { ...attributes(node.attributes, kernel), output_padding: unreached });
}

/**
 * One product a kernel tap: the input shifted by the tap, [b,i,p], against the output gradient, [b,o,p],
 * summed over the batch. Nine large products beat one convolution with huge kernels.
 */
export function emitConvWeightGradient(
  node: Node<'conv2dWeightGradient'>,
  [x = '', gradient = '']: readonly string[],
  e: Emitter,
): string {
  const { stride, padding, kernel } = node.attributes;
  const [batch, inputs, height, width] = shapeOf(node, 0);
  const [, outputs, tall, wide] = shapeOf(node, 1);
  const [top, left, bottom, right] = padding;
  const padded = padding.some((size) => size > 0)
    ? e.emit('Pad', [x, e.integers([0, 0, top, left, 0, 0, bottom, right])])
    : x;
  const whole = [height + top + bottom, width + left + right];
  const flat = e.reshape(gradient, [batch, outputs, tall * wide]);
  const taps: string[] = [];
  for (let row = 0; row < kernel[0]; row++) {
    for (let column = 0; column < kernel[1]; column++) {
      const ends = [row + stride[0] * (tall - 1) + 1, column + stride[1] * (wide - 1) + 1];
      const all = ends[0] === whole[0] && ends[1] === whole[1] && row === 0 && column === 0;
      const steps = [1, 1, ...stride];
      const shifted = all && stride[0] * stride[1] === 1
        ? padded
        : e.slice(padded, [0, 0, row, column], [batch, inputs, ...ends], steps);
      taps.push(tapGradient(flat, e.reshape(shifted, [batch, inputs, tall * wide]), [batch, outputs, inputs], e));
    }
  }
  const joined = taps.length === 1 ? (taps[0] as string) : e.emit('Concat', taps, { axis: 2 });
  return e.reshape(joined, node.shape);
}

/** [b,o,p]·[b,i,p]ᵀ summed over b, as [o,i,1]. */
function tapGradient(gradient: string, x: string, [batch, outputs, inputs]: [number, number, number], e: Emitter): string {
  const product =
    e.target === 'cpu'
      ? e.emitFused('FusedMatMul', [gradient, x], { transB: 1 })
      : e.emit('MatMul', [gradient, e.emit('Transpose', [x], { perm: [0, 2, 1] })]);
  const summed = batch === 1 ? product : e.emit('ReduceSum', [product, e.integers([0])], { keepdims: 0 });
  return e.reshape(summed, [outputs, inputs, 1]);
}
