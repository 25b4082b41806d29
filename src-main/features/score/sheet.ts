import sharp, { type OverlayOptions } from 'sharp';
import { canDrawText, drawText } from '../../engine/pictures/labels.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';

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
  const labelled = await canDrawText();
  const count = Math.min(...rows.map(({ pictures }) => pictures.length));
  const columns = Math.min(count, mostColumns);
  const start = gap + (labelled ? labelWidth : 0);
  const layers: OverlayOptions[] = [];
  for (const [r, { label, pictures }] of rows.entries()) {
    const top = gap + r * (tile + gap);
    if (labelled) layers.push({ input: await drawText(label, labelWidth - gap, 11), left: gap, top });
    for (let c = 0; c < columns; c++) {
      const { picture } = pictures[Math.floor((c * count) / columns)] as { picture: Picture };
      layers.push({ input: await small(picture), left: start + c * (tile + gap), top });
    }
  }
  const width = start + columns * (tile + gap);
  const height = gap + rows.length * (tile + gap);
  return sharp({ create: { width, height, channels: 3, background: 'white' } })
    .composite(layers)
    .removeAlpha()
    .png()
    .toBuffer();
}

async function small({ width, height, data }: Picture): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .resize(tile, tile)
    .png()
    .toBuffer();
}
