import sharp from 'sharp';
import type { PhotoMark } from '../../../src-shared/domain/photo.ts';
import { detailOutsideSquare, photoQuality } from '../../engine/evaluation/photoQuality.ts';
import { photoAdvice } from '../../features/photos/advice.ts';

/** The shorter side that sharpness and light are judged at; the rest of preflight judges there too. */
const judgedAt = 256;

/** Preflight of one photo, upright `width` × `height` pixels. */
export async function markPhoto(file: string, width: number, height: number): Promise<PhotoMark[]> {
  const side = Math.min(width, height);
  const ratio = Math.min(1, judgedAt / side);
  const small = await pixels(
    file,
    Math.max(1, Math.round(width * ratio)),
    Math.max(1, Math.round(height * ratio)),
  );
  const least = Math.min(small.width, small.height);
  const square = await pixels(file, least, least);
  const crop = { left: Math.round((width - side) / 2), top: Math.round((height - side) / 2), size: side };
  const facts = { width, height, crop, cropLoses: detailOutsideSquare(small), ...photoQuality(square) };
  return photoAdvice(facts).map(({ code, message }) => ({
    code,
    level: 'warn',
    message: `${message[0]?.toUpperCase() ?? ''}${message.slice(1)}.`,
  }));
}

async function pixels(
  file: string,
  width: number,
  height: number,
): Promise<{ width: number; height: number; data: Uint8Array }> {
  const data = await sharp(file)
    .autoOrient()
    .flatten({ background: 'white' })
    .resize(width, height, { fit: 'cover', kernel: 'linear' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer();
  return { width, height, data };
}
