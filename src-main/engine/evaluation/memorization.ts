import type { Picture } from '../pictures/pixels.ts';
import { resize } from '../pictures/resample.ts';
import { cosine, normalized } from './features.ts';

/** Pictures are compared at this height and width: coarse enough for JPEG and small shifts, fine enough to tell scenes apart. */
const side = 24;
/** Photos are reduced to this before windows are cut. */
const working = 192;
/** Sides of the windows, as a share of the photo's. */
const scales = [1, 0.95, 0.9, 0.85, 0.8];
const places = [0, 0.25, 0.5, 0.75, 1];

/** Every way a photo may have been copied: its windows, as vectors of length 1. */
export interface PhotoViews {
  readonly views: readonly Float32Array[];
}

/** The photo's middle square and its whole frame, and windows of `scales` within them. */
export function photoViews(photo: Picture): PhotoViews {
  const short = Math.min(photo.width, photo.height);
  const ratio = Math.min(1, working / short);
  const small = resize(photo, Math.round(photo.width * ratio), Math.round(photo.height * ratio), 'box');
  const square = Math.min(small.width, small.height);
  const frames: (readonly [number, number])[] = [
    [square, square],
    ...(small.width === small.height ? [] : [[small.width, small.height] as const]),
  ];
  const sums = summedArea(small);
  const views: Float32Array[] = [];
  for (const [width, height] of frames)
    for (const scale of scales)
      for (const across of scale === 1 ? [0.5] : places)
        for (const down of scale === 1 ? [0.5] : places) {
          const left = (small.width - width) / 2 + across * width * (1 - scale);
          const top = (small.height - height) / 2 + down * height * (1 - scale);
          views.push(view(sums, left, top, width * scale, height * scale));
        }
  return { views };
}

/** A picture as it is and mirrored, each as a view. */
export type Prints = readonly [Float32Array, Float32Array];

export function printsOf(picture: Picture): Prints {
  const whole = view(summedArea(picture), 0, 0, picture.width, picture.height);
  const mirrored = whole.map((_, i) => {
    const [pixel, channel] = [Math.floor(i / 3), i % 3];
    const x = pixel % side;
    return whole[(pixel - x + side - 1 - x) * 3 + channel] as number;
  });
  return [whole, mirrored];
}

/** How closely the picture matches one of the views, as it is or mirrored: the largest correlation of pixels, at most 1. */
export function resemblance([whole, mirrored]: Prints, { views }: PhotoViews): number {
  return views.reduce((most, one) => Math.max(most, cosine(whole, one), cosine(mirrored, one)), -1);
}

interface Sums {
  readonly width: number;
  readonly height: number;
  /** Sum of the pixels above and left of (x, y), [height + 1, width + 1, 3]. */
  readonly sums: Float64Array;
}

function summedArea({ width, height, data }: Picture): Sums {
  const row = (width + 1) * 3;
  const sums = new Float64Array(row * (height + 1));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) {
        const at = (y + 1) * row + (x + 1) * 3 + c;
        sums[at] =
          (data[(y * width + x) * 3 + c] as number) +
          (sums[at - 3] as number) +
          (sums[at - row] as number) -
          (sums[at - row - 3] as number);
      }
  return { width, height, sums };
}

/** The window as side×side mean colours, each channel about its mean, at length 1. */
function view(image: Sums, left: number, top: number, width: number, height: number): Float32Array {
  const values = new Float32Array(side * side * 3);
  const edge = (start: number, length: number, i: number): number => Math.round(start + (i * length) / side);
  const row = (image.width + 1) * 3;
  for (let y = 0; y < side; y++) {
    const above = Math.min(edge(top, height, y), image.height - 1);
    const below = Math.min(image.height, Math.max(above + 1, edge(top, height, y + 1)));
    for (let x = 0; x < side; x++) {
      const from = Math.min(edge(left, width, x), image.width - 1);
      const to = Math.min(image.width, Math.max(from + 1, edge(left, width, x + 1)));
      for (let c = 0; c < 3; c++) {
        const sum =
          (image.sums[below * row + to * 3 + c] as number) -
          (image.sums[above * row + to * 3 + c] as number) -
          (image.sums[below * row + from * 3 + c] as number) +
          (image.sums[above * row + from * 3 + c] as number);
        values[(y * side + x) * 3 + c] = sum / ((below - above) * (to - from));
      }
    }
  }
  for (let c = 0; c < 3; c++) {
    let mean = 0;
    for (let i = c; i < values.length; i += 3) mean += (values[i] as number) / (side * side);
    for (let i = c; i < values.length; i += 3) (values[i] as number) -= mean;
  }
  return normalized(values);
}

/** Bounds of the threshold: below the first nothing is a copy, above the second everything is. */
const leastCopy = 0.9;
const surelyCopy = 0.96;

/**
 * The resemblance from which a picture is a copy: half-way from the two photos that are most alike to identity, within bounds.
 */
export function copyThreshold(photos: readonly Picture[], views: readonly PhotoViews[]): number {
  const prints = photos.map(printsOf);
  const between = prints.flatMap((photo, i) =>
    views.flatMap((other, j) => (i === j ? [] : [resemblance(photo, other)])),
  );
  const closest = Math.max(0, ...between);
  return Math.min(surelyCopy, Math.max(leastCopy, (1 + closest) / 2));
}
