import type { Sharp } from '../../sharp.ts';
import type { Crop } from '../../../src-shared/domain/photo.ts';
import { scaledSize } from '../../../src-shared/scaledSize.ts';
import { detailOutsideSquare, photoQuality } from '../../engine/evaluation/photoQuality.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { decoding, openPicture } from '../../engine/pictures/pictures.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
import type { PhotoFacts } from './advice.ts';

/** Photos are judged at this height or width, the smaller of both, unless they are smaller. */
const judgedAt = 512;

export interface Framed {
  /** Pixels of the upright photo. */
  readonly width: number;
  readonly height: number;
  /** The chosen square; null for the middle one. */
  readonly crop: Crop | null;
}

/** The whole photo, and the square used for training, both small. */
export interface SmallPictures {
  readonly small: Picture;
  readonly square: Picture;
}

/** Preflight of one photo, for the command line and the studio. Errors: those of `openPicture`. */
export async function lookAt(file: string, framed: Framed): Promise<SmallPictures & { facts: PhotoFacts }> {
  const { width, height, crop } = framed;
  const chosen = crop !== null;
  const side = Math.min(width, height);
  const middle = { x: Math.round((width - side) / 2), y: Math.round((height - side) / 2), side };
  const { x: left, y: top, side: size } = crop ?? middle;
  const pictures = await smallPictures(file, framed);
  const cropLoses = chosen ? 0 : detailOutsideSquare(pictures.small);
  const seen = { width, height, crop: { left, top, size }, cropLoses, ...(chosen && { chosen }) };
  return { ...pictures, facts: { ...seen, ...photoQuality(pictures.square) } };
}

/** Errors: those of `openPicture`, `photos.broken`. */
export async function smallPictures(file: string, { width, height, crop }: Framed): Promise<SmallPictures> {
  const ratio = Math.min(1, judgedAt / Math.min(width, height));
  const whole = scaledSize({ width, height }, ratio);
  const least = Math.min(whole.width, whole.height);
  const upright = decoding(await openPicture(file));
  const cut = crop
    ? upright.clone().extract({ left: crop.x, top: crop.y, width: crop.side, height: crop.side })
    : upright;
  const size = crop ? Math.min(judgedAt, crop.side) : least;
  try {
    return { small: await pixels(upright, whole.width, whole.height), square: await pixels(cut, size, size) };
  } catch (cause) {
    throw problem('photos.broken', { file }, cause);
  }
}

async function pixels(picture: Sharp, width: number, height: number): Promise<Picture> {
  const data = await picture
    .clone()
    .flatten({ background: 'white' })
    .resize(width, height, { fit: 'cover', kernel: 'linear' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer();
  return { width, height, data };
}
