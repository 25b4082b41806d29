import type { Picture } from '../../engine/pictures/pixels.ts';
import { greyAt } from '../../engine/pictures/pixels.ts';

export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The region of a picture to draw: all that is not black in the mask and `padding` pixels around it, in the proportions of `drawn`
 * as far as the picture reaches. diffusers' `VaeImageProcessor.get_crop_region`.
 */
export function cropRegion(
  mask: Picture,
  drawn: { readonly width: number; readonly height: number },
  padding: number,
): Region {
  let [left, top, right, bottom] = [mask.width, mask.height, 0, 0];
  for (let pixel = 0; pixel < mask.width * mask.height; pixel++) {
    if (greyAt(mask, pixel) === 0) continue;
    const [x, y] = [pixel % mask.width, Math.floor(pixel / mask.width)];
    [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
  }
  const [x1, x2] = [Math.max(left - padding, 0), Math.min(right + padding, mask.width)];
  const [y1, y2] = [Math.max(top - padding, 0), Math.min(bottom + padding, mask.height)];
  const shape = drawn.width / drawn.height;
  const [width, height] = [x2 - x1, y2 - y1];
  if (width / height > shape) {
    const [y, grown] = widened(y1, y2, Math.trunc(width / shape - height), mask.height);
    return { x: x1, y, width, height: grown };
  }
  const [x, grown] = widened(x1, x2, Math.trunc(height * shape - width), mask.width);
  return { x, y: y1, width: grown, height };
}

/** [from, to) with `more` added on both sides, moved and cut to lie within [0, limit); where it begins and its length. */
function widened(from: number, to: number, more: number, limit: number): [number, number] {
  let [start, end] = [from - Math.floor(more / 2), to + more - Math.floor(more / 2)];
  if (end >= limit) [start, end] = [start - (end - limit), limit];
  if (start < 0) [start, end] = [0, end - start];
  return [start, Math.min(end, limit) - start];
}

/** That part of the picture. */
export function crop(picture: Picture, { x, y, width, height }: Region): Picture {
  if (width === picture.width && height === picture.height) return picture;
  const data = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    const from = 3 * ((y + row) * picture.width + x);
    data.set(picture.data.subarray(from, from + 3 * width), 3 * row * width);
  }
  return { width, height, data };
}
