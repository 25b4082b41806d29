import { problem } from '../../../src-shared/messages/index.ts';
import { listPictures, loadPicture } from '../pipelines/pictures.ts';
import type { Picture } from '../pipelines/pixels.ts';
import { resize } from '../pipelines/resample.ts';
import { roundEven } from '../schedulers/timesteps.ts';
import type { TorchGenerator } from '../tensor/random.ts';

const maxAspect = 16;

/** As `listPictures`; a folder without any is an error too: `photos.none`. */
export async function listPhotos(folder: string): Promise<string[]> {
  const photos = await listPictures(folder);
  if (!photos.length) throw problem('photos.none', { folder });
  return photos;
}

export interface PhotoOptions {
  /** Height and width in pixels. */
  readonly size: number;
  /** Where the crop goes is drawn from this; without it the crop is centred. */
  readonly generator?: TorchGenerator;
}

/**
 * A photo as the DreamBooth script prepares it: torchvision's `Resize(size, BILINEAR)` of the shorter side, `CenterCrop`
 * or `RandomCrop`, `ToTensor`, `Normalize(0.5, 0.5)`. Returns [3,size,size] in −1…1. Errors: those of `loadPicture`,
 * `photos.tooNarrow`.
 */
export async function loadPhoto(file: string, { size, generator }: PhotoOptions): Promise<Float32Array> {
  const picture = await loadPicture(file);
  const { width, height } = picture;
  const short = Math.min(width, height);
  const long = Math.max(width, height);
  if (long / short > maxAspect) throw problem('photos.tooNarrow', { file, width, height });
  const resizedLong = Math.trunc((size * long) / short);
  const resized =
    width < height
      ? resize(picture, size, resizedLong, 'bilinear')
      : resize(picture, resizedLong, size, 'bilinear');

  const room = { top: resized.height - size, left: resized.width - size };
  const offset = (space: number) =>
    generator ? (generator.randint(0, space + 1, [1])[0] ?? 0) : roundEven(space / 2);
  // torchvision draws nothing where there is nothing to choose.
  const exact = room.top === 0 && room.left === 0;
  const top = exact ? 0 : offset(room.top);
  const left = exact ? 0 : offset(room.left);
  return toChannels(resized, top, left, size);
}

function toChannels({ width, data }: Picture, top: number, left: number, size: number): Float32Array {
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
