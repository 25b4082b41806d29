import { readFileSync } from 'node:fs';
import sharp, { type OverlayOptions } from 'sharp';
import { prepareOutput } from '../../engine/checkpoints/outputFile.ts';
import { isMarked, marked } from '../../engine/pictures/png.ts';
import { canDrawText, drawText } from '../../engine/pictures/labels.ts';

export interface Grid {
  /** Above the pictures of each column. */
  readonly columns: readonly string[];
  /** Files of pictures, as many as there are columns; undefined where one is missing. */
  readonly rows: readonly { readonly label: string; readonly files: readonly (string | undefined)[] }[];
}

const gap = 8;
const labelWidth = 190;
const labelHeight = 30;
/** Pixels of a picture's longer side, at most: less where a side would get longer than most programs open. */
const largestTile = 512;
const largestSide = 16_000;

/**
 * Pictures in one, as a PNG: a row for each prompt or LoRA, a column for each seed, both labelled where the machine has a font. Errors:
 * those of sharp for a picture that can't be read.
 */
export async function drawGrid({ columns, rows }: Grid): Promise<Buffer> {
  const labelled = await canDrawText();
  const [left, top] = labelled ? [gap + labelWidth, gap + labelHeight] : [gap, gap];
  const first = rows.flatMap(({ files }) => files).find((file) => file !== undefined);
  const { width: own = largestTile, height: tall = largestTile } = first ? await sharp(first).metadata() : {};
  const most = Math.min(
    largestTile,
    Math.floor((largestSide - left) / columns.length) - gap,
    Math.floor((largestSide - top) / rows.length) - gap,
  );
  const scale = Math.min(1, most / Math.max(own, tall));
  const [tile, tileHeight] = [Math.round(own * scale), Math.round(tall * scale)];
  const layers: OverlayOptions[] = [];
  const write = async (text: string, place: { left: number; top: number }, room: number): Promise<void> => {
    if (labelled && text !== '') layers.push({ input: await drawText(text, room, 11), ...place });
  };
  for (const [c, label] of columns.entries())
    await write(label, { left: left + c * (tile + gap), top: gap }, tile);
  for (const [r, { label, files }] of rows.entries()) {
    const down = top + r * (tileHeight + gap);
    await write(label, { left: gap, top: down }, labelWidth - gap);
    for (const [c, file] of files.entries()) {
      if (file === undefined) continue;
      const input = await sharp(file)
        .resize(tile, tileHeight, { fit: 'contain', background: 'white' })
        .png()
        .toBuffer();
      layers.push({ input, left: left + c * (tile + gap), top: down });
    }
  }
  const width = left + columns.length * (tile + gap);
  const height = top + rows.length * (tileHeight + gap);
  const canvas = { create: { width, height, channels: 3 as const, background: 'white' } };
  const clipped = await Promise.all(layers.map((layer) => within(layer, width, height)));
  return marked(await sharp(canvas).composite(clipped).removeAlpha().png().toBuffer());
}

/** Errors: those of `prepareOutput`. */
export function prepareGrid(file: string): Promise<void> {
  return prepareOutput(file, 'a grid of pictures', () => isMarked(readFileSync(file)));
}

/** Text may be taller than its row: what would lie outside of the picture is cut. */
async function within(layer: OverlayOptions, width: number, height: number): Promise<OverlayOptions> {
  const input = layer.input as Buffer;
  const { width: own, height: tall } = await sharp(input).metadata();
  const room = { width: width - (layer.left ?? 0), height: height - (layer.top ?? 0) };
  if (own <= room.width && tall <= room.height) return layer;
  const size = { width: Math.min(own, room.width), height: Math.min(tall, room.height) };
  return {
    ...layer,
    input: await sharp(input)
      .extract({ left: 0, top: 0, ...size })
      .toBuffer(),
  };
}
