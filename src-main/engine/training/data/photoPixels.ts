import { problem } from '../../../../src-shared/messages/index.ts';
import { loadPicture } from '../../pictures/pictures.ts';
import type { Picture } from '../../pictures/pixels.ts';
import { resize } from '../../pictures/resample.ts';
import { roundEven } from '../../schedulers/timesteps.ts';
import type { TorchGenerator } from '../../tensor/random.ts';
import { loadMask } from './masks.ts';

const maxAspect = 16;

export interface PhotoOptions {
  /** Height and width in pixels. */
  readonly size: number;
  /** Chooses a random crop; without it the crop is centred. */
  readonly generator?: TorchGenerator;
}

/**
 * A photo as the DreamBooth script prepares it: torchvision's `Resize(size, BILINEAR)` of the shorter side, `CenterCrop`
 * or `RandomCrop`, `ToTensor`, `Normalize(0.5, 0.5)`. Returns [3,size,size] in −1…1. Errors: those of `loadPicture`,
 * `photos.tooNarrow`.
 */
export async function loadPhoto(file: string, options: PhotoOptions): Promise<Float32Array> {
  const picture = await loadPicture(file);
  return toChannels(picture, squareOf(file, picture, options));
}

/**
 * The same with the photo's mask, [size,size] in 0…1, resized and cut exactly as the photo is. Errors: those of `loadPhoto` and
 * `loadMask`.
 */
export async function loadMaskedPhoto(
  file: string,
  maskFile: string,
  options: PhotoOptions,
): Promise<{ readonly photo: Float32Array; readonly mask: Float32Array }> {
  const picture = await loadPicture(file);
  const drawn = await loadMask(maskFile, file, picture);
  const square = squareOf(file, picture, options);
  const grey = toChannels(drawn, square).subarray(0, options.size ** 2);
  return { photo: toChannels(picture, square), mask: grey.map((value) => (value + 1) / 2) };
}

/** A square of a picture after it was resized. */
interface Square {
  readonly width: number;
  readonly height: number;
  readonly top: number;
  readonly left: number;
  readonly size: number;
}

function squareOf(
  file: string,
  { width, height }: Pick<Picture, 'width' | 'height'>,
  { size, generator }: PhotoOptions,
): Square {
  const short = Math.min(width, height);
  const long = Math.max(width, height);
  if (long / short > maxAspect) throw problem('photos.tooNarrow', { file, width, height });
  const resizedLong = Math.trunc((size * long) / short);
  const resized =
    width < height ? { width: size, height: resizedLong } : { width: resizedLong, height: size };
  const room = { top: resized.height - size, left: resized.width - size };
  const offset = (space: number) =>
    generator ? (generator.randint(0, space + 1, [1])[0] ?? 0) : roundEven(space / 2);
  // torchvision draws no random number where there is nothing to choose.
  const exact = room.top === 0 && room.left === 0;
  const top = exact ? 0 : offset(room.top);
  const left = exact ? 0 : offset(room.left);
  return { ...resized, top, left, size };
}

function toChannels(picture: Picture, { width, height, top, left, size }: Square): Float32Array {
  const { data } = resize(picture, width, height, 'bilinear');
  const values = new Float32Array(3 * size * size);
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const byte = data[((top + y) * width + left + x) * 3 + channel] as number;
        values[(channel * size + y) * size + x] = (Math.fround(byte / 255) - 0.5) / 0.5;
      }
    }
  }
  return values;
}

/** A picture [channels,size,size], mirrored. */
export function mirrored(picture: Float32Array, size: number): Float32Array {
  return picture.map((_, i) => picture[i - (i % size) + (size - 1 - (i % size))] as number);
}
