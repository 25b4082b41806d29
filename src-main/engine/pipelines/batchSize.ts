import { freemem } from 'node:os';
import type { UNetConfig } from '../models/config.ts';

/** On a CPU, a larger batch is hardly faster, and shows its first picture later. */
const largest = 4;

/**
 * Pictures that can be denoised at once, with guidance, in half of the memory that is free. A picture's peak is in the
 * first block's feed-forward layer, 8 times as wide as the block, with its gate, and the skips: about 64 times the block's output.
 */
export function picturesThatFit(
  { block_out_channels }: UNetConfig,
  [, , height, width]: readonly [number, number, number, number],
  free = freemem(),
): number {
  const picture = 64 * (block_out_channels[0] as number) * height * width * Float32Array.BYTES_PER_ELEMENT;
  return Math.max(1, Math.min(largest, Math.floor(free / 2 / picture)));
}

/** The free memory assumed where the size of a batch must always be the same. */
const steadyBytes = 4e9;

/**
 * The same for pictures that later numbers depend on. A picture's last bits depend on the batch it is drawn in, so the size must
 * depend neither on the memory that happens to be free nor on what an earlier process drew.
 */
export function steadyBatch(unet: UNetConfig, shape: readonly [number, number, number, number]): number {
  return picturesThatFit(unet, shape, steadyBytes);
}

/** Of pictures 0 … count − 1, drawn `size` at a time, those whose batch is incomplete: they are drawn again together. */
export function ofUnfinishedBatches(
  count: number,
  size: number,
  isThere: (index: number) => boolean,
): number[] {
  const batchOf = (index: number): number => Math.floor(index / size);
  const all = [...Array(count).keys()];
  const unfinished = new Set(all.filter((index) => !isThere(index)).map(batchOf));
  return all.filter((index) => unfinished.has(batchOf(index)));
}
