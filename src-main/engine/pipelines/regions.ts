import type { Box } from '../../../src-shared/domain/box.ts';
import type { Shape } from '../tensor/tensor.ts';
import type { NetworkOptions } from './networks.ts';

/** A box of a picture that is drawn by a network of its own, from a prompt of its own. */
export interface Region {
  readonly box: Box;
  readonly prompt: string;
  readonly networks: NetworkOptions;
}

/** Share of the steps in which a region sees nothing of the rest: its subject takes shape there alone. */
export const apartUntil = 0.4;

/** 1 inside of the box, [h,w]: the latents whose middle lies in it, at least one. */
export function boxMask({ left, top, right, bottom }: Box, [, , height = 1, width = 1]: Shape): Uint8Array {
  const [x1, y1] = [
    Math.min(width - 1, Math.round(left * width)),
    Math.min(height - 1, Math.round(top * height)),
  ];
  const [x2, y2] = [
    Math.max(x1 + 1, Math.round(right * width)),
    Math.max(y1 + 1, Math.round(bottom * height)),
  ];
  return Uint8Array.from({ length: height * width }, (_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    return x >= x1 && x < x2 && y >= y1 && y < y2 ? 1 : 0;
  });
}

/**
 * The U-Net's input as a region sees it in the first steps: only noise outside its box, so that its attention finds nothing there that
 * belongs to another (bootstrapping of "MultiDiffusion", Bar-Tal et al. 2023). `ofNoise`: how much of the input is noise.
 */
export function seenApart(
  input: Float32Array,
  mask: Uint8Array,
  noise: Float32Array,
  ofNoise: number,
): Float32Array {
  return input.map((value, i) => (mask[i % mask.length] ? value : ofNoise * (noise[i] as number)));
}

/** Each region's output in its box, their mean where boxes overlap, and the whole picture's elsewhere ("MultiDiffusion", equation 5). */
export function composed(
  whole: Float32Array,
  regions: readonly { readonly mask: Uint8Array; readonly output: Float32Array }[],
): Float32Array {
  return whole.map((value, i) => {
    let [sum, count] = [0, 0];
    for (const { mask, output } of regions)
      if (mask[i % mask.length]) {
        sum += output[i] as number;
        count++;
      }
    return count > 0 ? sum / count : value;
  });
}
