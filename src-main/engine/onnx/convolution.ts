import type { ConvAttributes, Node } from '../graph/ops.ts';
import type { Shape } from '../tensor/tensor.ts';
import type { Emitter } from './emitter.ts';

type Size4 = [number, number, number, number];

const shapeOf = (node: { readonly inputs: readonly { readonly shape: Shape }[] }, index: number): Size4 =>
  (node.inputs[index] as { shape: Shape }).shape as Size4;

function attributes(
  { stride, padding }: ConvAttributes,
  kernel: readonly number[],
): Record<string, readonly number[]> {
  return { kernel_shape: kernel, strides: stride, pads: padding };
}

export function emitConv(node: Node<'conv2d'>, operands: readonly string[], e: Emitter): string {
  return e.emit('Conv', operands, attributes(node.attributes, shapeOf(node, 1).slice(2)));
}

/**
 * A convolution of the gradient with the kernel turned round, where that is one (stride 1): about 1.5 times as fast as
 * ConvTranspose. Turning large kernels costs what it saves, and strided ones leave holes.
 */
export function emitConvInputGradient(
  node: Node<'conv2dInputGradient'>,
  operands: readonly string[],
  e: Emitter,
): string {
  const [outputs, inputs, ...kernel] = shapeOf(node, 1);
  const { stride, padding, size } = node.attributes;
  if (e.target === 'cpu' && stride[0] * stride[1] === 1 && outputs * inputs <= turnedAtMost) {
    const [gradient = '', weight = ''] = operands;
    const [top, left, bottom, right] = padding;
    const [tall, wide] = kernel;
    const pads = [tall - 1 - top, wide - 1 - left, tall - 1 - bottom, wide - 1 - right];
    if (pads.every((size) => size >= 0)) {
      return e.emit('Conv', [gradient, turned(weight, shapeOf(node, 1), e)], { kernel_shape: kernel, pads });
    }
  }
  const from = shapeOf(node, 0).slice(2);
  // Rows at the far edge that no stride reached: they belong to the input and get no gradient.
  const unreached = ([0, 1] as const).map((axis) => {
    const reached =
      stride[axis] * ((from[axis] as number) - 1) +
      kernel[axis] -
      padding[axis] -
      (padding[axis + 2] as number);
    return size[axis] - reached;
  });
  return e.emit('ConvTranspose', operands, {
    ...attributes(node.attributes, kernel),
    output_padding: unreached,
  });
}

/** Outputs × inputs of the largest kernel worth turning at every step (measured at 16², see the bench notes). */
const turnedAtMost = 1 << 20;

/** [o,i,h,w] → [i,o,h,w] with both kernel axes reversed. */
function turned(weight: string, [outputs, inputs, tall, wide]: Size4, e: Emitter): string {
  const area = tall * wide;
  const backwards = e.integers(Array.from({ length: area }, (_, tap) => area - 1 - tap));
  const taps = e.reshape(weight, [outputs * inputs, area]);
  const reversed = area === 1 ? taps : e.emit('Gather', [taps, backwards], { axis: 1 });
  return e.emit('Transpose', [e.reshape(reversed, [outputs, inputs, tall, wide])], { perm: [1, 0, 2, 3] });
}

/** Elements of the largest matrix of shifted inputs that is laid out at a time (64 MB). */
const shiftedAtMost = 16 << 20;

/**
 * For each picture of the batch, the output gradient [o,p] times the transposed matrix of shifted inputs [i·taps,p]: one
 * large product whose result is the weight's own layout; the pictures' results add up inside Gemm.
 */
export function emitConvWeightGradient(
  node: Node<'conv2dWeightGradient'>,
  [x = '', gradient = '']: readonly string[],
  e: Emitter,
): string {
  const { padding, kernel } = node.attributes;
  const [batch, inputs, height, width] = shapeOf(node, 0);
  const [, outputs, tall, wide] = shapeOf(node, 1);
  const [top, left, bottom, right] = padding;
  const padded = padding.some((size) => size > 0)
    ? e.emit('Pad', [x, e.integers([0, 0, top, left, 0, 0, bottom, right])])
    : x;
  const whole: Size4 = [batch, inputs, height + top + bottom, width + left + right];
  const perChannel = kernel[0] * kernel[1] * tall * wide;
  const channelsAtOnce = Math.max(1, Math.min(inputs, Math.floor(shiftedAtMost / perChannel)));

  const parts: string[] = [];
  for (let from = 0; from < inputs; from += channelsAtOnce) {
    const to = Math.min(from + channelsAtOnce, inputs);
    let total: string | undefined;
    for (let picture = 0; picture < batch; picture++) {
      const shifted = emitShifted(node, padded, whole, { picture, from, to }, e);
      const g = e.reshape(
        batch === 1 ? gradient : e.slice(gradient, [picture, 0, 0, 0], [picture + 1, outputs, tall, wide]),
        [outputs, tall * wide],
      );
      total = e.emit('Gemm', total ? [g, shifted, total] : [g, shifted], { transB: 1 });
    }
    parts.push(total as string);
  }
  const joined = parts.length === 1 ? (parts[0] as string) : e.emit('Concat', parts, { axis: 1 });
  return e.reshape(joined, node.shape);
}

/** Channels from..to of one padded picture, once per kernel tap: [(to − from)·taps, p]. */
function emitShifted(
  node: Node<'conv2dWeightGradient'>,
  padded: string,
  whole: Size4,
  { picture, from, to }: { picture: number; from: number; to: number },
  e: Emitter,
): string {
  const { stride, kernel } = node.attributes;
  const [, , tall, wide] = shapeOf(node, 1);
  const steps = stride[0] * stride[1] === 1 ? undefined : [1, 1, ...stride];
  const taps: string[] = [];
  for (let row = 0; row < kernel[0]; row++) {
    for (let column = 0; column < kernel[1]; column++) {
      const ends: Size4 = [
        picture + 1,
        to,
        row + stride[0] * (tall - 1) + 1,
        column + stride[1] * (wide - 1) + 1,
      ];
      const starts: Size4 = [picture, from, row, column];
      const everything =
        starts.every((start) => start === 0) && ends.every((end, axis) => end === whole[axis]);
      const tap = everything && !steps ? padded : e.slice(padded, starts, ends, steps);
      taps.push(kernel[0] * kernel[1] === 1 ? tap : e.reshape(tap, [to - from, 1, tall * wide]));
    }
  }
  const joined = taps.length === 1 ? (taps[0] as string) : e.emit('Concat', taps, { axis: 1 });
  return e.reshape(joined, [(to - from) * taps.length, tall * wide]);
}
