import { sharpOf } from '../../engine/pictures/pictures.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
import { Sheet } from '../../engine/pictures/sheet.ts';

const tile = 128;
const gap = 6;
const labelWidth = 110;
const mostColumns = 10;

interface Row {
  readonly label: string;
  readonly pictures: readonly { readonly picture: Picture }[];
}

/** A PNG with a row for each model, the same prompts and seeds below each other; only a sample of many prompts. */
export async function drawSheet(rows: readonly Row[]): Promise<Buffer> {
  const sheet = await Sheet.begin();
  const count = Math.min(...rows.map(({ pictures }) => pictures.length));
  const columns = Math.min(count, mostColumns);
  const start = gap + (sheet.labelled ? labelWidth : 0);
  for (const [r, { label, pictures }] of rows.entries()) {
    const top = gap + r * (tile + gap);
    await sheet.write(label, labelWidth - gap, { left: gap, top });
    for (let c = 0; c < columns; c++) {
      const { picture } = pictures[Math.floor((c * count) / columns)] as { picture: Picture };
      await sheet.lay(sharpOf(picture), { left: start + c * (tile + gap), top, width: tile, height: tile });
    }
  }
  return sheet.png(start + columns * (tile + gap), gap + rows.length * (tile + gap));
}
