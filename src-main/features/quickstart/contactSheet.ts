import sharp, { type OverlayOptions } from 'sharp';
import { loadPicture } from '../../engine/pictures/pictures.ts';
import { canDrawText, drawText } from '../../engine/pictures/labels.ts';

export interface ContactSheet {
  readonly photos: readonly string[];
  readonly pictures: readonly { readonly path: string; readonly label: string }[];
  readonly titles: { readonly photos: string; readonly pictures: string };
}

const columns = 4;
const tile = 256;
const gap = 12;
const titleHeight = 34;
const labelHeight = 44;
const width = columns * (tile + gap) + gap;
/** Photos share one row. */
const mostPhotos = 8;

/**
 * The photos in one row and the pictures below, each with its label, as a PNG; `labelled` is false where the machine has
 * no font to write with. Errors: those of `loadPicture`.
 */
export async function drawContactSheet({
  photos,
  pictures,
  titles,
}: ContactSheet): Promise<{ png: Buffer; labelled: boolean }> {
  const labelled = await canDrawText();
  const layers: OverlayOptions[] = [];
  const write = async (
    text: string,
    left: number,
    top: number,
    points: number,
    room: number,
  ): Promise<void> => {
    if (labelled) layers.push({ input: await drawText(text, room, points), left, top });
  };
  let top = gap;
  const title = async (text: string): Promise<void> => {
    await write(text, gap, top, 14, width - 2 * gap);
    if (labelled) top += titleHeight;
  };

  await title(titles.photos);
  const shown = photos.slice(0, mostPhotos);
  const side = Math.min(tile, Math.floor((width - gap) / shown.length) - gap);
  for (const [i, photo] of shown.entries())
    layers.push({ input: await square(photo, side), left: gap + i * (side + gap), top });
  top += side + 2 * gap;

  await title(titles.pictures);
  const rowHeight = tile + (labelled ? labelHeight : 0) + gap;
  for (const [i, { path, label }] of pictures.entries()) {
    const left = gap + (i % columns) * (tile + gap);
    const above = top + Math.floor(i / columns) * rowHeight;
    layers.push({ input: await square(path, tile), left, top: above });
    await write(label, left, above + tile + 4, 10, tile);
  }
  const height = top + Math.ceil(pictures.length / columns) * rowHeight;
  const png = await sharp({ create: { width, height, channels: 3, background: 'white' } })
    .composite(layers)
    .removeAlpha()
    .png()
    .toBuffer();
  return { png, labelled };
}

/** The middle of a picture as a square of `side` pixels, as PNG. */
async function square(file: string, side: number): Promise<Buffer> {
  const { data, width, height } = await loadPicture(file);
  return sharp(data, { raw: { width, height, channels: 3 } })
    .resize(side, side, { fit: 'cover' })
    .png()
    .toBuffer();
}
