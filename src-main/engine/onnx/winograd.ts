import { f32, type HostTensor } from '../tensor/tensor.ts';
import type { Emitter } from './emitter.ts';

/**
 * Winograd's minimal filtering F(m×m, 3×3) (Lavin & Gray 2016, "Fast algorithms for convolutional neural networks"): tiles of
 * (m+2)² inputs give m² outputs, with (m+2)² products a channel pair instead of 9m². One row a frequency; the matrices are
 * theirs, sections 4.1 and 4.3, the last one transposed.
 */
const transforms = {
  2: {
    ofInputs: [
      [1, 0, -1, 0],
      [0, 1, 1, 0],
      [0, -1, 1, 0],
      [0, 1, 0, -1],
    ],
    ofKernel: [
      [1, 0, 0],
      [1 / 2, 1 / 2, 1 / 2],
      [1 / 2, -1 / 2, 1 / 2],
      [0, 0, 1],
    ],
    toOutputs: [
      [1, 0],
      [1, 1],
      [1, -1],
      [0, -1],
    ],
  },
  4: {
    ofInputs: [
      [4, 0, -5, 0, 1, 0],
      [0, -4, -4, 1, 1, 0],
      [0, 4, -4, -1, 1, 0],
      [0, -2, -1, 2, 1, 0],
      [0, 2, -1, -2, 1, 0],
      [0, 4, 0, -5, 0, 1],
    ],
    ofKernel: [
      [1 / 4, 0, 0],
      [-1 / 6, -1 / 6, -1 / 6],
      [-1 / 6, 1 / 6, -1 / 6],
      [1 / 24, 1 / 12, 1 / 6],
      [1 / 24, -1 / 12, 1 / 6],
      [0, 0, 1],
    ],
    toOutputs: [
      [1, 0, 0, 0],
      [1, 1, 1, 1],
      [1, -1, 1, -1],
      [1, 2, 4, 8],
      [1, -2, 4, -8],
      [0, 0, 0, 1],
    ],
  },
};

/** Width of the square of outputs that is computed from one tile of inputs. */
export type Tile = keyof typeof transforms;

export interface WinogradSizes {
  readonly batch: number;
  /** Input and output channels. */
  readonly from: number;
  readonly to: number;
  readonly height: number;
  readonly width: number;
}

/** Most elements of transformed inputs or outputs (128 MB): beyond that they are not worth their memory. */
const spectrumAtMost = 32 << 20;
/** Fewest tiles for which it pays to transform the kernel, which happens at every run. */
const fewestTiles = { 2: 96, 4: 64 };

/** The tile with which this beats a direct convolution, if any does. */
export function winogradTile({ batch, from, to, height, width }: WinogradSizes): Tile | undefined {
  return ([4, 2] as const).find((tile) => {
    const tiles = (batch * height * width) / tile ** 2;
    return (
      height % tile === 0 &&
      width % tile === 0 &&
      tiles >= fewestTiles[tile] &&
      Math.min(from, to) >= 32 &&
      (tile + 2) ** 2 * tiles * Math.max(from, to) <= spectrumAtMost
    );
  });
}

/** Most elements of transformed kernels, inputs or outputs at a time (128 MB); beyond that, frequencies are computed in rounds. */
const elementsAtOnce = 32 << 20;

/**
 * A 3×3 convolution of x [b,from,h,w], stride 1, one pixel of padding. The weight is [to,from,3,3], or, when `transposed`,
 * [from,to,3,3] and turned round: then it is the gradient with respect to the input of the convolution with that weight.
 */
export function emitWinograd(
  x: string,
  weight: string,
  sizes: WinogradSizes,
  tile: Tile,
  transposed: boolean,
  e: Emitter,
): string {
  const { batch, from, to, height, width } = sizes;
  const { ofInputs, ofKernel, toOutputs } = transforms[tile];
  const [down, across] = [height / tile, width / tile];
  const taps = e.reshape(weight, [from * to, 9]);
  const sum = inRounds(sizes, tile, e, (some, count) => {
    const columns = spectrum(x, from, some(ofInputs), tile, sizes, e);
    // Emitted after the input: ONNX Runtime computes in this order, and must not begin with the kernels of all layers.
    const kernels = e.emitFused('FusedMatMul', [e.constant(some(ofKernel, transposed)), taps], { transB: 1 });
    const shape = transposed ? [count, from, to] : [count, to, from];
    const products = e.emitFused('FusedMatMul', [e.reshape(kernels, shape), columns], {
      transA: Number(transposed),
    });
    return e.emit('MatMul', [e.constant(columnsOf(some(toOutputs))), e.reshape(products, [count, -1])]);
  });
  const planes = e.reshape(sum, [tile, tile, to * batch * down * across]);
  const rows = e.emit('Transpose', [planes], { perm: [0, 2, 1] });
  return e.reshape(e.transposeRows(rows, [tile, to, batch, down], [2, 1, 3, 0]), [batch, to, height, width]);
}

/**
 * The gradient [to,from,3,3] of such a convolution's weight, from its input and its output's gradient: each step of the convolution
 * is linear, so its adjoints are the same matrices the other way round.
 */
export function emitWinogradWeightGradient(
  x: string,
  gradient: string,
  sizes: WinogradSizes,
  tile: Tile,
  e: Emitter,
): string {
  const { ofInputs, ofKernel, toOutputs } = transforms[tile];
  const sum = inRounds(sizes, tile, e, (some, count) => {
    const columns = spectrum(x, sizes.from, some(ofInputs), tile, sizes, e);
    const gradients = spectrum(gradient, sizes.to, some(toOutputs), tile, sizes, e);
    const products = e.emitFused('FusedMatMul', [gradients, columns], { transB: 1 });
    const kernels = [e.reshape(products, [count, -1]), e.constant(some(ofKernel))];
    return e.emitFused('FusedMatMul', kernels, { transA: 1 });
  });
  return e.reshape(sum, [sizes.to, sizes.from, 3, 3]);
}

/** Some rows of a table for all pairs of its rows; `turned`: of kernels turned round. */
type Rows = (table: readonly (readonly number[])[], turned?: boolean) => HostTensor<'f32'>;

/** The sum over all frequencies, some at a time. */
function inRounds(
  { batch, from, to, height, width }: WinogradSizes,
  tile: Tile,
  e: Emitter,
  part: (some: Rows, count: number) => string,
): string {
  const frequencies = (tile + 2) ** 2;
  const most = Math.max(from * to, Math.max(from, to) * batch * (height / tile) * (width / tile));
  const rounds = divisors(frequencies).find((n) => (frequencies / n) * most <= elementsAtOnce) ?? frequencies;
  const count = frequencies / rounds;
  const parts = Array.from({ length: rounds }, (_, round) =>
    part((table, turned = false) => outerProducts(table, round * count, count, turned), count),
  );
  return parts.reduce((sum, more) => e.emit('Add', [sum, more]));
}

/** Tiles of pictures [b,channels,h,w] times each row of a table: [rows, channels, b·tiles]. */
function spectrum(
  pictures: string,
  channels: number,
  rows: HostTensor<'f32'>,
  tile: Tile,
  { batch, height, width }: WinogradSizes,
  e: Emitter,
): string {
  const [count = 0, area = 0] = rows.shape;
  const side = Math.sqrt(area);
  const apart = e.reshape(pictures, [batch * channels, 1, height, width]);
  const border = (side - tile) / 2;
  const made = e.emit('Conv', [apart, e.constant({ ...rows, shape: [count, 1, side, side] })], {
    kernel_shape: [side, side],
    strides: [tile, tile],
    pads: [border, border, border, border],
  });
  const byFrequency = e.transposeRows(made, [batch, channels, count], [2, 1, 0]);
  return e.reshape(byFrequency, [count, channels, -1]);
}

const divisors = (n: number): number[] =>
  Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);

function columnsOf({ data, shape: [rows = 0, columns = 0] }: HostTensor<'f32'>): HostTensor<'f32'> {
  return f32(
    [columns, rows],
    Array.from(
      { length: rows * columns },
      (_, i) => data[(i % rows) * columns + Math.floor(i / rows)] as number,
    ),
  );
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
