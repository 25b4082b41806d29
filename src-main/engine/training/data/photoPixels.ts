import { problem } from '../../../../src-shared/messages/index.ts';
import { loadPicture } from '../../pictures/pictures.ts';
import type { Picture } from '../../pictures/pixels.ts';
import { resize } from '../../pictures/resample.ts';
import { roundEven } from '../../schedulers/timesteps.ts';
import type { TorchGenerator } from '../../tensor/random.ts';
import { selectBucket, type Frame } from './aspectBuckets.ts';
import { loadMask } from './masks.ts';

const maxAspect = 16;

export interface PhotoOptions {
  /** Width and height in pixels: a square, unless `buckets` are given. */
  readonly frame: Frame;
  /** The photo takes the one that fits it best, in place of `frame`. */
  readonly buckets?: readonly Frame[] | undefined;
  /** Where the crop goes is drawn from this; without it the crop is centred. */
  readonly generator?: TorchGenerator;
  /** A masked photo is cut to a square around its subject (not with `buckets` or `generator`). */
  readonly aroundSubject?: boolean;
  /** That square may reach over the photo's rim, where its mask is 0, so that it has the subject in the middle. */
  readonly overRim?: boolean;
}

/** A photo that was cut: [3,height,width] in −1…1, and the frame it has. */
export interface CutPhoto {
  readonly photo: Float32Array;
  readonly frame: Frame;
  readonly sizes: PhotoSizes;
}

/**
 * SDXL's size inputs for a photo, in pixels: its own height and width, where it was cut at the top and at the left after it was resized, and
 * the height and width that are left.
 */
export type PhotoSizes = readonly [number, number, number, number, number, number];

/**
 * A photo as the DreamBooth script prepares it: torchvision's `Resize(size, BILINEAR)` of the shorter side, `CenterCrop`
 * or `RandomCrop`, `ToTensor`, `Normalize(0.5, 0.5)`; with `buckets`, resized and cut as kohya's scripts do. Returns [3,height,width] in
 * −1…1. Errors: those of `loadPicture`, `photos.tooNarrow`.
 */
export async function loadPhoto(file: string, options: PhotoOptions): Promise<Float32Array> {
  return (await cutPhoto(file, options)).photo;
}

/** The same with the frame that it was cut to. */
export async function cutPhoto(file: string, options: PhotoOptions): Promise<CutPhoto> {
  const picture = await loadPicture(file);
  const cut = cutOf(file, picture, options);
  return { photo: toChannels(picture, cut), frame: cut.frame, sizes: sizesOf(picture, cut) };
}

/** A photo and its mask, to be cut. */
export interface MaskedPhoto {
  readonly file: string;
  readonly picture: Picture;
  readonly mask: Picture;
}

/** The mask is a file of the photo's size, or a picture of its shape. Errors: those of `loadPicture` and `loadMask`. */
export async function readMaskedPhoto(file: string, mask: string | Picture): Promise<MaskedPhoto> {
  const picture = await loadPicture(file);
  return { file, picture, mask: typeof mask === 'string' ? await loadMask(mask, file, picture) : mask };
}

/** The same as `cutPhoto` with the photo's mask, [height,width] in 0…1, resized and cut exactly as the photo is. Errors: `photos.tooNarrow`. */
export function cutMaskedPhoto(
  { file, picture, mask }: MaskedPhoto,
  options: PhotoOptions,
): CutPhoto & { readonly mask: Float32Array } {
  const cut = cutOf(file, picture, options, options.aroundSubject ? mask : undefined);
  const { frame } = cut;
  const grey = toChannels(mask, cut).subarray(0, frame.width * frame.height);
  return {
    photo: toChannels(picture, cut),
    frame,
    sizes: sizesOf(picture, cut),
    mask: grey.map((value) => (value + 1) / 2),
  };
}

/** A part of a picture after it was resized. */
interface Cut {
  readonly resized: Frame;
  readonly frame: Frame;
  readonly top: number;
  readonly left: number;
}

function cutOf(
  file: string,
  picture: Frame,
  { frame, buckets, generator, overRim = false }: PhotoOptions,
  mask?: Picture,
): Cut {
  const { width, height } = picture;
  const long = Math.max(width, height);
  if (long / Math.min(width, height) > maxAspect) throw problem('photos.tooNarrow', { file, width, height });
  const around = mask && !buckets && !generator && squareAround(mask, picture, frame.width, overRim);
  if (around) {
    const scale = frame.width / around.side;
    const [resized, top, left] = [
      { width: Math.round(width * scale), height: Math.round(height * scale) },
      Math.floor(around.top * scale),
      Math.floor(around.left * scale),
    ];
    if (overRim) return { resized, frame, top, left };
    return {
      resized,
      frame,
      top: Math.min(top, resized.height - frame.height),
      left: Math.min(left, resized.width - frame.width),
    };
  }
  const cut = buckets ? selectBucket(buckets, picture) : { bucket: frame, resized: cover(picture, frame) };
  const { bucket, resized } = cut;
  const room = { top: resized.height - bucket.height, left: resized.width - bucket.width };
  const middle = (space: number): number => (buckets ? Math.floor(space / 2) : roundEven(space / 2));
  const offset = (space: number): number =>
    generator ? (generator.randint(0, space + 1, [1])[0] ?? 0) : middle(space);
  // torchvision draws nothing where there is nothing to choose.
  const exact = room.top === 0 && room.left === 0;
  const top = exact ? 0 : offset(room.top);
  const left = exact ? 0 : offset(room.left);
  return { resized, frame: bucket, top, left };
}

/** The least room around a subject, and the most, as shares of its longer side. */
const margin = { least: 0.1, most: 0.25 };

/** How far from a square's middle a subject's may lie, as a share of the square. */
const offCentre = 0.05;

/** Nearer to the photo's end than this share of it, a subject is cut off there. */
const rim = 0.02;

/** Share of a mask on each side that is not looked at: specks do not move a square. */
const specks = 0.02;

/**
 * A square of a photo that has its subject in the middle and shows it large: small networks learn what fills the picture far better. It is
 * no smaller than the `size` that it is drawn at, if the photo isn't, and it holds the whole subject, in the middle or not. With `overRim` it is
 * in the middle, but for a side that the photo's rim cuts off. In the photo's pixels.
 */
function squareAround(
  mask: Picture,
  { width, height }: Frame,
  size: number,
  overRim: boolean,
): { readonly side: number; readonly top: number; readonly left: number } | undefined {
  const columns = new Float64Array(mask.width);
  const rows = new Float64Array(mask.height);
  for (let row = 0; row < mask.height; row++) {
    for (let column = 0; column < mask.width; column++) {
      if ((mask.data[3 * (row * mask.width + column)] as number) < 128) continue;
      columns[column] = (columns[column] as number) + 1;
      rows[row] = (rows[row] as number) + 1;
    }
  }
  const [across, down] = [extent(columns), extent(rows)];
  if (!across || !down) return undefined;
  const [left, right] = [(across.from * width) / mask.width, (across.to * width) / mask.width];
  const [top, bottom] = [(down.from * height) / mask.height, (down.to * height) / mask.height];
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  const room = Math.min(x, width - x, y, height - y);
  const longer = Math.max(right - left, bottom - top);
  const [least, most] = [(1 + 2 * margin.least) * longer, Math.max((1 + 2 * margin.most) * longer, size)];
  if (overRim) {
    const centred = (from: number, to: number, whole: number): number => {
      const start = (from + to - most) / 2;
      if (from <= rim * whole) return Math.max(0, start);
      return to >= (1 - rim) * whole ? Math.min(start, whole - most) : start;
    };
    return { side: most, top: centred(top, bottom, height), left: centred(left, right, width) };
  }
  const side = Math.min(Math.max(least, Math.min(most, (2 * room) / (1 - 2 * offCentre))), width, height);
  const start = (middle: number, whole: number): number =>
    Math.max(0, Math.min(middle - side / 2, whole - side));
  return { side, top: start(y, height), left: start(x, width) };
}

/** Where all but the specks of a mask begins and ends, of how much of it lies in each line. */
function extent(lines: Float64Array): { readonly from: number; readonly to: number } | undefined {
  const whole = lines.reduce((sum, count) => sum + count, 0);
  const past = (values: Float64Array): number => {
    let sum = 0;
    return values.findIndex((count) => (sum += count) > specks * whole);
  };
  return whole === 0 ? undefined : { from: past(lines), to: lines.length - past(lines.slice().reverse()) };
}

function sizesOf({ width, height }: Frame, { frame, top, left }: Cut): PhotoSizes {
  return [height, width, top, left, frame.height, frame.width];
}

/** The size at which a picture just covers a frame; the longer side's fraction is dropped. */
function cover({ width, height }: Frame, frame: Frame): Frame {
  return width * frame.height < height * frame.width
    ? { width: frame.width, height: Math.trunc((frame.width * height) / width) }
    : { width: Math.trunc((frame.height * width) / height), height: frame.height };
}

function toChannels(picture: Picture, { resized, frame, top, left }: Cut): Float32Array {
  const { data } = resize(picture, resized.width, resized.height, 'bilinear');
  const { width, height } = frame;
  const values = new Float32Array(3 * width * height);
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [row, column] = [top + y, left + x];
        const isOutside = row < 0 || column < 0 || row >= resized.height || column >= resized.width;
        const byte = isOutside ? 0 : (data[(row * resized.width + column) * 3 + channel] as number);
        values[(channel * height + y) * width + x] = (Math.fround(byte / 255) - 0.5) / 0.5;
      }
    }
  }
  return values;
}

/** A picture [channels,height,width] seen in a mirror. */
export function mirrored(picture: Float32Array, width: number): Float32Array {
  return picture.map((_, i) => picture[i - (i % width) + (width - 1 - (i % width))] as number);
}
