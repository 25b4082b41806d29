import { freemem } from 'node:os';
import type { UNetConfig } from '../models/config.ts';

/** A larger batch is hardly faster than this one on a CPU, and shows its first picture later. */
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
