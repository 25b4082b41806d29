import sharp, { type Sharp } from 'sharp';
import type { Crop, PhotoMark } from '../../../src-shared/domain/photo.ts';
import { detailOutsideSquare, photoQuality } from '../../engine/evaluation/photoQuality.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
import { photoAdvice, type Advice } from '../../features/photos/advice.ts';

/** Length of the shorter side at which sharpness and light are judged. */
const judgedAt = 256;

interface Looked {
  /** Pixels of the upright photo. */
  readonly width: number;
  readonly height: number;
  /** The chosen square; null for the middle one. */
  readonly crop: Crop | null;
}

/** Preflight of one photo: of the square used for training. */
export async function markPhoto(file: string, { width, height, crop }: Looked): Promise<PhotoMark[]> {
  const chosen = crop !== null;
  const side = Math.min(width, height);
  const middle = { x: Math.round((width - side) / 2), y: Math.round((height - side) / 2), side };
  const { x: left, y: top, side: size } = crop ?? middle;
  const { small, square } = await smallPictures(file, { width, height, crop });
  const cropLoses = chosen ? 0 : detailOutsideSquare(small);
  const facts = { width, height, crop: { left, top, size }, cropLoses, chosen, ...photoQuality(square) };
  return photoAdvice(facts).map((advice) => markOf(advice, 'warn'));
}

/** Advice as the studio shows it: a sentence. */
export function markOf({ code, message }: Advice, level: PhotoMark['level']): PhotoMark {
  return { code, level, message: `${message[0]?.toUpperCase() ?? ''}${message.slice(1)}.` };
}

/** The whole photo, and the square used for training, both small. */
export async function smallPictures(
  file: string,
  { width, height, crop }: Looked,
): Promise<{ small: Picture; square: Picture }> {
  const ratio = Math.min(1, judgedAt / Math.min(width, height));
  const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side * ratio))) as [
    number,
    number,
  ];
  const least = Math.min(across, down);
  const upright = sharp(file).autoOrient();
  const cut = crop
    ? upright.clone().extract({ left: crop.x, top: crop.y, width: crop.side, height: crop.side })
    : upright;
  const size = crop ? Math.min(judgedAt, crop.side) : least;
  return { small: await pixels(upright, across, down), square: await pixels(cut, size, size) };
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
