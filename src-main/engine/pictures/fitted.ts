import type { Picture } from './pixels.ts';
import { resize } from './resample.ts';

type Size = Pick<Picture, 'width' | 'height'>;

const half = (length: number): number => Math.floor(length / 2);

/** The size of a picture's shape whose one side is that of `size`, rounded down as Python's `//` does. */
function inShape({ width, height }: Size, size: Size, byWidth: boolean): Size {
  return byWidth
    ? { width: size.width, height: Math.floor((height * size.width) / width) }
    : { width: Math.floor((width * size.height) / height), height: size.height };
}

/**
 * The picture in another size without being stretched: as large as it fits, with its edges drawn out beside it. diffusers'
 * `VaeImageProcessor._resize_and_fill`, to the bit.
 */
export function fitted(picture: Picture, size: Size): Picture {
  const [shape, own] = [size.width / size.height, picture.width / picture.height];
  const inner = inShape(picture, size, shape < own);
  const resized = resize(picture, inner.width, inner.height, 'lanczos');
  const result = { ...size, data: new Uint8Array(3 * size.width * size.height) };
  const [left, top] = [half(size.width) - half(inner.width), half(size.height) - half(inner.height)];
  put(result, resized, left, top);
  // What Pillow's bicubic filter makes of an empty box on an edge: a line a little beyond it.
  for (let i = 0; i < (shape < own ? top : left); i++)
    if (shape < own) {
      put(result, line(resized, 'top'), 0, i);
      put(result, line(resized, 'bottom'), 0, top + inner.height + i);
    } else {
      put(result, line(resized, 'left'), i, 0);
      put(result, line(resized, 'right'), left + inner.width + i, 0);
    }
  return result;
}

/** The middle of the picture in another size without being stretched. diffusers' `VaeImageProcessor._resize_and_crop`, to the bit. */
export function covering(picture: Picture, size: Size): Picture {
  const outer = inShape(picture, size, size.width / size.height > picture.width / picture.height);
  const result = { ...size, data: new Uint8Array(3 * size.width * size.height) };
  const resized = resize(picture, outer.width, outer.height, 'lanczos');
  put(result, resized, half(size.width) - half(outer.width), half(size.height) - half(outer.height));
  return result;
}

/** As much of the picture as lies within the other one, at that place. */
function put({ width, height, data }: Picture, picture: Picture, left: number, top: number): void {
  for (let y = Math.max(0, -top); y < Math.min(picture.height, height - top); y++)
    for (let x = Math.max(0, -left); x < Math.min(picture.width, width - left); x++)
      for (let channel = 0; channel < 3; channel++)
        data[3 * ((top + y) * width + left + x) + channel] = picture.data[
          3 * (y * picture.width + x) + channel
        ] as number;
}

/** A line of pixels beyond an edge, from the last two before it. */
function line({ width, height, data }: Picture, edge: 'left' | 'right' | 'top' | 'bottom'): Picture {
  const across = edge === 'left' || edge === 'right';
  const length = across ? width : height;
  const last = edge === 'left' || edge === 'top' ? 0 : length - 1;
  const before = Math.max(0, Math.min(length - 1, last === 0 ? 1 : length - 2));
  const size = across ? { width: 1, height } : { width, height: 1 };
  const value = (at: number, along: number, channel: number): number =>
    data[3 * (across ? along * width + at : at * width + along) + channel] as number;
  const pixels = new Uint8Array(3 * size.width * size.height).map((_, i) => {
    const [along, channel] = [Math.floor(i / 3), i % 3];
    const beyond = (9 * value(last, along, channel) - value(before, along, channel)) / 8;
    return Math.min(255, Math.max(0, Math.floor(beyond + 0.5)));
  });
  return { ...size, data: pixels };
}
