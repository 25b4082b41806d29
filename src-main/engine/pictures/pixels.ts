import { dims4, type HostTensor } from '../tensor/tensor.ts';

/** An 8-bit RGB picture, rows from the top, three bytes a pixel. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A picture as the input of a VAE's encoder: [1,3,h,w] in [-1,1], as diffusers' `VaeImageProcessor` makes it. */
export function fromPicture({ width, height, data }: Picture): HostTensor<'f32'> {
  const pixels = width * height;
  const floats = new Float32Array(3 * pixels);
  for (let channel = 0; channel < 3; channel++)
    for (let i = 0; i < pixels; i++)
      floats[channel * pixels + i] = 2 * Math.fround((data[3 * i + channel] as number) / 255) - 1;
  return { dtype: 'f32', shape: [1, 3, height, width], data: floats };
}

/** Pictures of the same size in one row. */
export function sideBySide(pictures: readonly Picture[]): Picture {
  const { width: own = 0, height = 0 } = pictures[0] ?? {};
  const width = own * pictures.length;
  const data = new Uint8Array(3 * width * height);
  for (const [i, picture] of pictures.entries())
    for (let y = 0; y < height; y++)
      data.set(picture.data.subarray(3 * own * y, 3 * own * (y + 1)), 3 * (width * y + own * i));
  return { width, height, data };
}

/** Pillow's `convert("L")` of a pixel, 0…255. */
export function greyAt({ data }: Picture, pixel: number): number {
  const colour = (channel: number): number => data[3 * pixel + channel] as number;
  return (colour(0) * 19595 + colour(1) * 38470 + colour(2) * 7471 + 0x8000) >> 16;
}

/** Whether a mask says that this pixel is redrawn. */
export function isWhite(mask: Picture, pixel: number): boolean {
  return greyAt(mask, pixel) >= 128;
}

/** A decoded image [1,3,h,w] in [-1,1] as bytes, rounded as diffusers' `VaeImageProcessor.postprocess` does. */
export function toPicture({ shape, data }: HostTensor<'f32'>): Picture {
  const [, channels, height, width] = dims4(shape);
  const pixels = height * width;
  const bytes = new Uint8Array(3 * pixels);
  for (let channel = 0; channel < 3; channel++) {
    // A one-channel VAE gives grey.
    const plane = Math.min(channel, channels - 1) * pixels;
    for (let i = 0; i < pixels; i++) bytes[3 * i + channel] = byteOf(data[plane + i] as number);
  }
  return { width, height, data: bytes };
}

function byteOf(value: number): number {
  const unit = Math.min(1, Math.max(0, Math.fround(Math.fround(value / 2) + 0.5)));
  return roundHalfEven(Math.fround(unit * 255));
}

/** NumPy's rounding. */
function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}
