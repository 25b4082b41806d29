import { f32, type HostTensor } from '../tensor/tensor.ts';
import type { Emitter } from './emitter.ts';

/**
 * Winograd's minimal filtering F(4×4, 3×3) (Lavin & Gray 2016, "Fast algorithms for convolutional neural networks"): tiles of
 * 6×6 inputs give 4×4 outputs with 36 products a channel pair instead of 144. The matrices are theirs, section 4.3.
 */
const toFrequencies = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];
const ofKernel = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];
const toOutputs = [
  [1, 0, 0, 0],
  [1, 1, 1, 1],
  [1, -1, 1, -1],
  [1, 2, 4, 8],
  [1, -2, 4, -8],
  [0, 0, 0, 1],
];
const frequencies = 36;

export interface WinogradSizes {
  readonly batch: number;
  /** Channels of what comes in and what goes out. */
  readonly from: number;
  readonly to: number;
  readonly height: number;
  readonly width: number;
}

/** Elements of transformed inputs or outputs up to which they are worth their memory (128 MB). */
const spectrumAtMost = 32 << 20;

/** Whether it is faster than a direct convolution: the kernels are transformed at every run, so enough tiles must use them. */
export function winogradPays({ batch, from, to, height, width }: WinogradSizes): boolean {
  const tiles = (batch * height * width) / 16;
  return (
    height % 4 === 0 &&
    width % 4 === 0 &&
    tiles >= 64 &&
    Math.min(from, to) >= 32 &&
    frequencies * tiles * Math.max(from, to) <= spectrumAtMost
  );
}

/** Elements of transformed kernels, inputs or outputs that exist at a time (32 MB): else some frequencies go after others. */
const elementsAtOnce = 8 << 20;

/**
 * A 3×3 convolution of x [b,from,h,w], stride 1, one pixel of padding. The weight is [to,from,3,3], or, when `transposed`,
 * [from,to,3,3] and turned round: then it is the gradient with respect to the input of the convolution with that weight.
 */
export function emitWinograd(
  x: string,
  weight: string,
  { batch, from, to, height, width }: WinogradSizes,
  transposed: boolean,
  e: Emitter,
): string {
  const [down, across] = [height / 4, width / 4];
  const tiles = down * across;
  const pictures = e.reshape(x, [batch * from, 1, height, width]);
  const taps = e.reshape(weight, [from * to, 9]);
  const most = Math.max(from * to, Math.max(from, to) * batch * tiles);
  const rounds =
    [1, 2, 3, 4, 6, 9, 12, 18].find((n) => (frequencies / n) * most <= elementsAtOnce) ?? frequencies;
  const count = frequencies / rounds;
  let sum = '';
  for (let start = 0; start < frequencies; start += count) {
    const some = (rows: readonly (readonly number[])[], turned = false): HostTensor<'f32'> =>
      outerProducts(rows, start, count, turned);
    const spectrum = e.emit('Conv', [pictures, e.constant(shaped(some(toFrequencies), [count, 1, 6, 6]))], {
      kernel_shape: [6, 6],
      strides: [4, 4],
      pads: [1, 1, 1, 1],
    });
    const byFrequency = e.emit('Transpose', [e.reshape(spectrum, [batch, from, count, tiles])], {
      perm: [2, 1, 0, 3],
    });
    const columns = e.reshape(byFrequency, [count, from, batch * tiles]);
    // After what comes in: ONNX Runtime, too, computes in this order, and must not begin with the kernels of all layers.
    const kernels = e.emitFused('FusedMatMul', [e.constant(some(ofKernel, transposed)), taps], { transB: 1 });
    const shape = transposed ? [count, from, to] : [count, to, from];
    const products = e.emitFused('FusedMatMul', [e.reshape(kernels, shape), columns], {
      transA: Number(transposed),
    });
    const byPicture = e.emit('Transpose', [e.reshape(products, [count, to, batch, tiles])], {
      perm: [2, 1, 0, 3],
    });
    const part = e.emit(
      'ConvTranspose',
      [
        e.reshape(byPicture, [batch * to, count, down, across]),
        e.constant(shaped(some(toOutputs), [count, 1, 4, 4])),
      ],
      { kernel_shape: [4, 4], strides: [4, 4] },
    );
    sum = sum ? e.emit('Add', [sum, part]) : part;
  }
  return e.reshape(sum, [batch, to, height, width]);
}

/** Rows `start`…, `count` of them, of all pairs of the matrix's rows: each the outer product of two, as one row. */
function outerProducts(
  rows: readonly (readonly number[])[],
  start: number,
  count: number,
  turned: boolean,
): HostTensor<'f32'> {
  const pairs = rows.flatMap((a) => rows.map((b) => a.flatMap((x) => b.map((y) => x * y))));
  const some = pairs.slice(start, start + count).map((pair) => (turned ? pair.reverse() : pair));
  return f32([count, (some[0] as number[]).length], some.flat());
}

function shaped(tensor: HostTensor<'f32'>, shape: readonly number[]): HostTensor<'f32'> {
  return { ...tensor, shape };
}
