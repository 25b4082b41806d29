/**
 * The sweep's pictures side by side, unpicked: a row a subject, its first photo and then its last checkpoint's pictures.
 *
 *   npx tsx models/recipe/sweep/drawSheet.ts --out DATA [--real FOLDER] [--variant shipped] [--subjects A,B] [--columns 17] [--to FILE]
 */
import { join } from 'node:path';
import sharp from 'sharp';
import { loadPicture } from '../../../src-main/engine/pictures/pictures.ts';
import { contactSheet, cutContactSheet } from '../contactSheet.ts';
import { side } from '../settings.ts';
import { numberOption, option, outFolder } from '../paths.ts';
import { sheetName } from './results.ts';
import { photographedSubjects, photosOf, renderedSubjects } from './subjects.ts';

const variant = option('variant', 'shipped');
const columns = numberOption('columns', 17);
const work = join(outFolder(), 'sweep');
const to = option('to', join(work, `${variant}.jpg`));
const real = option('real', '');
const known = [
  ...(real ? photographedSubjects(real) : []),
  ...renderedSubjects(join(outFolder(), 'subjects')),
];
const wanted = option('subjects', '').split(',').filter(Boolean);
const chosen = wanted.length ? wanted.flatMap((name) => known.filter((one) => one.name === name)) : known;

const rows: Uint8Array[] = [];
for (const subject of chosen) {
  const sheet = await loadPicture(join(work, sheetName({ variant, subject: subject.name }))).catch(
    () => null,
  );
  if (!sheet) continue;
  const pictures = cutContactSheet(sheet, side);
  const across = Math.floor(sheet.width / side);
  const last = pictures.slice(-across);
  // As many of each scene as there is room for.
  const shown = Array.from(
    { length: columns - 1 },
    (_, i) => last[Math.floor((i * across) / (columns - 1))]?.data as Uint8Array,
  );
  const [photo] = await photosOf(subject, side);
  rows.push((photo as { data: Uint8Array }).data, ...shown);
}
const png = join(work, 'sheet.png');
await contactSheet(rows, side, columns, png);
await sharp(png).jpeg({ quality: 86 }).toFile(to);
console.log(`${rows.length / columns} subjects: ${to}`);
