import { loadPicture, sharpOf } from '../../engine/pictures/pictures.ts';
import { Sheet } from '../../engine/pictures/sheet.ts';

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
  const sheet = await Sheet.begin();
  const { labelled } = sheet;
  const lay = async (file: string, left: number, top: number, side: number): Promise<void> =>
    sheet.lay(sharpOf(await loadPicture(file)), { left, top, width: side, height: side });
  let top = gap;
  const title = async (text: string): Promise<void> => {
    await sheet.write(text, width - 2 * gap, { left: gap, top }, 14);
    if (labelled) top += titleHeight;
  };

  await title(titles.photos);
  const shown = photos.slice(0, mostPhotos);
  const side = Math.min(tile, Math.floor((width - gap) / shown.length) - gap);
  for (const [i, photo] of shown.entries()) await lay(photo, gap + i * (side + gap), top, side);
  top += side + 2 * gap;

  await title(titles.pictures);
  const rowHeight = tile + (labelled ? labelHeight : 0) + gap;
  for (const [i, { path, label }] of pictures.entries()) {
    const left = gap + (i % columns) * (tile + gap);
    const above = top + Math.floor(i / columns) * rowHeight;
    await lay(path, left, above, tile);
    await sheet.write(label, tile, { left, top: above + tile + 4 }, 10);
  }
  const height = top + Math.ceil(pictures.length / columns) * rowHeight;
  return { png: await sheet.png(width, height), labelled };
}
