import type { Preprocessor, TargetSize } from '../checkpoints/preprocessor.ts';
import type { Picture } from '../pictures/pixels.ts';
import { resampleFilters, resize, type ResampleFilter } from '../pictures/resample.ts';

/**
 * A picture as transformers' image processors hand it to a network (their PIL backend): resized, cropped, rescaled, normalized.
 * Returns channels first, [3,height,width].
 */
export function preprocess(
  picture: Picture,
  { resize: resizing, crop, rescale, normalize }: Preprocessor,
): { data: Float32Array; height: number; width: number } {
  let prepared = picture;
  if (resizing) {
    const { height, width } = resizedSize(picture, resizing.size);
    const filter = resampleFilters[resizing.resample] as ResampleFilter;
    prepared = resize(prepared, width, height, filter);
  }
  if (crop) prepared = centerCrop(prepared, crop);
  const { height, width } = prepared;
  const plane = height * width;
  const data = new Float32Array(3 * plane);
  for (let channel = 0; channel < 3; channel++) {
    const mean = Math.fround(normalize?.mean[channel] ?? 0);
    const std = Math.fround(normalize?.std[channel] ?? 1);
    for (let i = 0; i < plane; i++) {
      const byte = prepared.data[3 * i + channel] as number;
      data[channel * plane + i] = Math.fround(Math.fround(byte * (rescale ?? 1)) - mean) / std;
    }
  }
  return { data, height, width };
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Height and width that every prepared picture has, if they do not depend on the picture. */
export function preparedSize({ resize: resizing, crop }: Preprocessor): Size | undefined {
  if (crop) return crop;
  return resizing && 'height' in resizing.size ? resizing.size : undefined;
}

/** Keeps the proportions where the target names sides; lengths are cut to whole pixels, not rounded. */
function resizedSize({ height, width }: Size, target: TargetSize): Size {
  if ('height' in target) return target;
  const [short, long] = [Math.min(height, width), Math.max(height, width)];
  const { shortest, longest = Infinity } = target;
  const bounded = (shortest * long) / short > longest;
  // Where the longer side is the limit, the shorter one is rounded, and the longer one is computed from its unrounded value.
  const exact = bounded ? (longest * short) / long : shortest;
  const newShort = bounded ? Math.round(exact) : shortest;
  const newLong = Math.trunc((exact * long) / short);
  return width <= height ? { height: newLong, width: newShort } : { height: newShort, width: newLong };
}

/** Cuts out the middle; where the picture is smaller it stands in the middle of black, as in transformers. */
function centerCrop(picture: Picture, { height, width }: Size): Picture {
  const start = (have: number, want: number): number =>
    have >= want ? Math.floor((have - want) / 2) : -Math.ceil((want - have) / 2);
  const [top, left] = [start(picture.height, height), start(picture.width, width)];
  const data = new Uint8Array(3 * height * width);
  for (let y = Math.max(0, -top); y < Math.min(height, picture.height - top); y++) {
    const from = Math.max(0, -left);
    const to = Math.min(width, picture.width - left);
    const row = (y + top) * picture.width + left;
    data.set(picture.data.subarray(3 * (row + from), 3 * (row + to)), 3 * (y * width + from));
  }
  return { height, width, data };
}
