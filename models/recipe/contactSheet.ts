import sharp from 'sharp';

/** Writes pictures (each `size` × `size` × 3) side by side to a PNG file. */
export async function contactSheet(
  pictures: Uint8Array[],
  size: number,
  columns: number,
  file: string,
): Promise<void> {
  const rows = Math.ceil(pictures.length / columns);
  const gap = 2;
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
