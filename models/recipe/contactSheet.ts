import sharp from 'sharp';
import type { Picture } from '../../src-main/engine/pictures/pixels.ts';

const gap = 2;

/** Writes pictures (each `size` × `size` × 3) side by side to a PNG file. */
export async function contactSheet(
  pictures: Uint8Array[],
  size: number,
  columns: number,
  file: string,
): Promise<void> {
  const rows = Math.ceil(pictures.length / columns);
  const width = columns * (size + gap);
  const sheet = new Uint8Array(width * rows * (size + gap) * 3);
  pictures.forEach((picture, i) => {
    const left = (i % columns) * (size + gap);
    const top = Math.floor(i / columns) * (size + gap);
    for (let y = 0; y < size; y++)
      sheet.set(picture.subarray(y * size * 3, (y + 1) * size * 3), ((top + y) * width + left) * 3);
  });
  await sharp(sheet, { raw: { width, height: rows * (size + gap), channels: 3 } })
    .png()
    .toFile(file);
}

/** The pictures of a sheet again, row by row. */
export function cutContactSheet({ data, width, height }: Picture, size: number): Picture[] {
  const [columns, rows] = [Math.floor(width / (size + gap)), Math.floor(height / (size + gap))];
  return Array.from({ length: columns * rows }, (_, i) => {
    const left = (i % columns) * (size + gap);
    const top = Math.floor(i / columns) * (size + gap);
    const picture = new Uint8Array(size * size * 3);
    for (let y = 0; y < size; y++) {
      const from = ((top + y) * width + left) * 3;
      picture.set(data.subarray(from, from + size * 3), y * size * 3);
    }
    return { width: size, height: size, data: picture };
  });
}
