import { readFileSync } from 'node:fs';
import { sharp } from '../../sharp.ts';
import { prepareOutput } from '../../engine/checkpoints/outputFile.ts';
import { isMarked, marked } from '../../engine/pictures/png.ts';
import { Sheet } from '../../engine/pictures/sheet.ts';

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
  const sheet = await Sheet.begin();
  const [left, top] = sheet.labelled ? [gap + labelWidth, gap + labelHeight] : [gap, gap];
  const first = rows.flatMap(({ files }) => files).find((file) => file !== undefined);
  const { width: own = largestTile, height: tall = largestTile } = first ? await sharp(first).metadata() : {};
  const most = Math.min(
    largestTile,
    Math.floor((largestSide - left) / columns.length) - gap,
    Math.floor((largestSide - top) / rows.length) - gap,
  );
  const scale = Math.min(1, most / Math.max(own, tall));
  const [tile, tileHeight] = [Math.round(own * scale), Math.round(tall * scale)];
  for (const [c, label] of columns.entries())
    await sheet.write(label, tile, { left: left + c * (tile + gap), top: gap });
  for (const [r, { label, files }] of rows.entries()) {
    const down = top + r * (tileHeight + gap);
    await sheet.write(label, labelWidth - gap, { left: gap, top: down });
    for (const [c, file] of files.entries()) {
      const place = { left: left + c * (tile + gap), top: down, width: tile, height: tileHeight };
      if (file !== undefined) await sheet.lay(sharp(file), { ...place, fit: 'contain' });
    }
  }
  const [width, height] = [left + columns.length * (tile + gap), top + rows.length * (tileHeight + gap)];
  return marked(await sheet.png(width, height));
}

/** Errors: those of `prepareOutput`. */
export function prepareGrid(file: string): Promise<void> {
  return prepareOutput(file, 'a grid of pictures', () => isMarked(readFileSync(file)));
}
