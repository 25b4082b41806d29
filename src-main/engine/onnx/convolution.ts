import type { ConvAttributes, Node } from '../graph/ops.ts';
import { dims4, elementCount, type Shape } from '../tensor/tensor.ts';
import type { Emitter } from './emitter.ts';
import { emitWinograd, emitWinogradWeightGradient, winogradTile, type WinogradSizes } from './winograd.ts';

type Size4 = ReturnType<typeof dims4>;

const shapeOf = (node: { readonly inputs: readonly { readonly shape: Shape }[] }, index: number): Size4 =>
  dims4((node.inputs[index] as { shape: Shape }).shape);

function attributes(
  { stride, padding }: ConvAttributes,
  kernel: readonly number[],
): Record<string, readonly number[]> {
  return { kernel_shape: kernel, strides: stride, pads: padding };
}

export function emitConv(node: Node<'conv2d'>, operands: readonly string[], e: Emitter): string {
  const { groups } = node.attributes;
  const kernel = shapeOf(node, 1).slice(2);
  const [batch, from, height, width] = shapeOf(node, 0);
  const [to] = shapeOf(node, 1);
  const sizes = { batch, from, to, height, width };
  const tile = padsByOne(node.attributes, shapeOf(node, 1)) ? winogradTile(sizes) : undefined;
  if (e.target === 'cpu' && !groups && tile) {
    const [x = '', weight = '', bias] = operands;
    const product = emitWinograd(x, weight, sizes, tile, false, e);
    return bias === undefined ? product : e.emit('Add', [product, e.reshape(bias, [to, 1, 1])]);
  }
  return e.emit('Conv', operands, {
    ...attributes(node.attributes, kernel),
    ...(groups && { group: groups }),
  });
}

/** Whether this is a 3×3 convolution that keeps its input's size. */
function padsByOne({ stride, padding }: ConvAttributes, [, , tall, wide]: Size4): boolean {
  return tall * wide === 9 && [...stride, ...padding, tall / 3].every((size) => size === 1);
}

/**
 * With stride 1, a convolution of the gradient with the kernel turned by 180°: about 1.5 times as fast as ConvTranspose. Turning
 * large kernels on the CPU costs what it saves, and larger strides leave holes. On a device the pictures are turned instead where they
 * are smaller than the kernel, deep inside a U-Net, and the result turned back: the same products.
 */
export function emitConvInputGradient(
  node: Node<'conv2dInputGradient'>,
  operands: readonly string[],
  e: Emitter,
): string {
  const [outputs, inputs, ...kernel] = shapeOf(node, 1);
  const { stride, padding, size } = node.attributes;
  const sizes: WinogradSizes = {
    batch: node.shape[0] as number,
    from: outputs,
    to: inputs,
    height: size[0],
    width: size[1],
  };
  const tile = padsByOne(node.attributes, shapeOf(node, 1)) ? winogradTile(sizes) : undefined;
  if (e.target === 'cpu' && tile) {
    const [gradient = '', weight = ''] = operands;
    return emitWinograd(gradient, weight, sizes, tile, true, e);
  }
  const small = e.target !== 'cpu' || outputs * inputs <= turnedAtMost;
  if (e.target !== 'portable' && stride[0] * stride[1] === 1 && small) {
    const [gradient = '', weight = ''] = operands;
    const [top, left, bottom, right] = padding;
    const [tall, wide] = kernel;
    const pads = [tall - 1 - top, wide - 1 - left, tall - 1 - bottom, wide - 1 - right];
    if (pads.every((size) => size >= 0)) {
      const pictures = elementCount(shapeOf(node, 0)) + elementCount(node.shape);
      if (e.target !== 'cpu' && tall * wide > 1 && pictures < elementCount(shapeOf(node, 1))) {
        const swapped = e.emit('Transpose', [e.reshape(weight, shapeOf(node, 1))], { perm: [1, 0, 2, 3] });
        const turnedPads = [...pads.slice(2), ...pads.slice(0, 2)];
        const operands = [halfTurn(gradient, shapeOf(node, 0), e), swapped];
        const made = e.emit('Conv', operands, { kernel_shape: kernel, pads: turnedPads });
        return halfTurn(made, dims4(node.shape), e);
      }
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

/** Outputs × inputs of the largest kernel worth turning at every step (measured at 16²; see `features/bench/README.md`). */
const turnedAtMost = 1 << 20;

/**
 * [o,i,h,w] → [i,o,h,w] with both kernel axes reversed. On a device at every step, after a reshape whose shape may be hidden: turned
 * beforehand, a second copy of all kernels would lie there.
 */
function turned(stored: string, [outputs, inputs, tall, wide]: Size4, e: Emitter): string {
  const area = tall * wide;
  if (e.target !== 'cpu') {
    const weight = e.reshape(stored, [outputs, inputs, tall, wide]);
    const reversed = area === 1 ? weight : halfTurn(weight, [outputs, inputs, tall, wide], e);
    return e.emit('Transpose', [reversed], { perm: [1, 0, 2, 3] });
  }
  const backwards = e.integers(Array.from({ length: area }, (_, tap) => area - 1 - tap));
  const taps = e.reshape(stored, [outputs * inputs, area]);
  const reversed = area === 1 ? taps : e.emit('Gather', [taps, backwards], { axis: 1 });
  return e.emit('Transpose', [e.reshape(reversed, [outputs, inputs, tall, wide])], { perm: [1, 0, 2, 3] });
}

/** [..., h, w] turned by 180°. */
function halfTurn(x: string, [, , tall, wide]: Size4, e: Emitter): string {
  const places = [
    [-1, -1],
    [-(tall + 1), -(wide + 1)],
    [2, 3],
    [-1, -1],
  ].map((list) => e.integers(list));
  return e.emit('Slice', [x, ...places]);
}

/** Elements of the largest matrix of shifted inputs that is laid out at a time (64 MB). */
const shiftedAtMost = 16 << 20;

/**
 * The output gradient [o,p] times the transposed matrix of shifted inputs [i·taps,p], whose result is the weight's own
 * layout. Large layers go picture by picture, the results adding up inside Gemm; small ones take the whole batch at once.
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
  const sizes = { batch, from: inputs, to: outputs, height, width };
  const tile = padsByOne(node.attributes, dims4(node.shape)) ? winogradTile(sizes) : undefined;
  if (e.target === 'cpu' && tile) return emitWinogradWeightGradient(x, gradient, sizes, tile, e);
  const padded = padding.some((size) => size > 0)
    ? e.emit('Pad', [x, e.integers([0, 0, top, left, 0, 0, bottom, right])])
    : x;
  const whole: Size4 = [batch, inputs, height + top + bottom, width + left + right];
  const pixels = tall * wide;
  const perChannel = kernel[0] * kernel[1] * pixels;

  if (batch * inputs * Math.max(perChannel, outputs * kernel[0] * kernel[1]) <= shiftedAtMost) {
    const shifted = emitShifted(node, padded, whole, { pictures: [0, batch], channels: [0, inputs] }, e);
    return e.reshape(
      sumOfProducts(e.reshape(gradient, [batch, outputs, pixels]), shifted, batch, e),
      node.shape,
    );
  }

  const channelsAtOnce = Math.max(1, Math.min(inputs, Math.floor(shiftedAtMost / perChannel)));
  const parts: string[] = [];
  for (let from = 0; from < inputs; from += channelsAtOnce) {
    const to = Math.min(from + channelsAtOnce, inputs);
    let total: string | undefined;
    for (let picture = 0; picture < batch; picture++) {
      const shifted = emitShifted(
        node,
        padded,
        whole,
        { pictures: [picture, picture + 1], channels: [from, to] },
        e,
      );
      const matrix = e.reshape(shifted, [-1, pixels]);
      const own =
        batch === 1 ? gradient : e.slice(gradient, [picture, 0, 0, 0], [picture + 1, outputs, tall, wide]);
      const g = e.reshape(own, [outputs, pixels]);
      total = e.emit('Gemm', total ? [g, matrix, total] : [g, matrix], { transB: 1 });
    }
    parts.push(total as string);
  }
  const joined = parts.length === 1 ? (parts[0] as string) : e.emit('Concat', parts, { axis: 1 });
  return e.reshape(joined, node.shape);
}

/** Σ over b of [b,o,p]·[b,k,p]ᵀ. */
function sumOfProducts(a: string, b: string, batch: number, e: Emitter): string {
  const products =
    e.target === 'cpu'
      ? e.emitFused('FusedMatMul', [a, b], { transB: 1 })
      : e.emit('MatMul', [a, e.emit('Transpose', [b], { perm: [0, 2, 1] })]);
  return batch === 1 ? products : e.emit('ReduceSum', [products, e.integers([0])], { keepdims: 0 });
}

type Range = readonly [number, number];

/** Some channels of some padded pictures, once per kernel tap: [pictures, channels·taps, p]. */
function emitShifted(
  node: Node<'conv2dWeightGradient'>,
  padded: string,
  whole: Size4,
  { pictures, channels }: { pictures: Range; channels: Range },
  e: Emitter,
): string {
  const { stride, kernel } = node.attributes;
  const [, , tall, wide] = shapeOf(node, 1);
  const [count, width] = [pictures[1] - pictures[0], channels[1] - channels[0]];
  const steps = stride[0] * stride[1] === 1 ? undefined : [1, 1, ...stride];
  const taps: string[] = [];
  for (let row = 0; row < kernel[0]; row++) {
    for (let column = 0; column < kernel[1]; column++) {
      const starts: Size4 = [pictures[0], channels[0], row, column];
      const reach: Range = [row + stride[0] * (tall - 1) + 1, column + stride[1] * (wide - 1) + 1];
      const ends: Size4 = [pictures[1], channels[1], ...reach];
      const everything =
        starts.every((start) => start === 0) && ends.every((end, axis) => end === whole[axis]);
      const tap = everything && !steps ? padded : e.slice(padded, starts, ends, steps);
      taps.push(e.reshape(tap, [count, width, 1, tall * wide]));
    }
  }
  const joined = taps.length === 1 ? (taps[0] as string) : e.emit('Concat', taps, { axis: 2 });
  return e.reshape(joined, [count, width * taps.length, tall * wide]);
}
