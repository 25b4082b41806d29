/**
 * Whether a stranger finds the subject again in pictures of a finetune. Each card shows a picture that sweep.ts drew and four subjects, the
 * right one and the three whose photos are most like its in colour, in a random order:
 *
 *   npx tsx models/recipe/look/blindSubjects.ts --out DATA [--real FOLDER] [--variant shipped] [--each 4] --to TEST [--seed 1]
 *
 * A viewer writes TEST/named.csv (number,subject: A, B, C or D from the left), and tally.ts counts.
 */
import { join } from 'node:path';
import sharp from 'sharp';
import { loadPicture } from '../../../src-main/engine/pictures/pictures.ts';
import type { Picture } from '../../../src-main/engine/pictures/pixels.ts';
import { cutContactSheet } from '../contactSheet.ts';
import { numberOption, option, outFolder } from '../paths.ts';
import { Random } from '../render/random.ts';
import { side } from '../settings.ts';
import { sheetName } from '../sweep/results.ts';
import { photographedSubjects, photosOf, renderedSubjects, type Subject } from '../sweep/subjects.ts';
import { drawCards, type Card } from './cards.ts';
import { writeTable } from './tables.ts';

const variant = option('variant', 'shipped');
const each = numberOption('each', 4);
const to = option('to', '');
const real = option('real', '');
const random = new Random(numberOption('seed', 1));
const subjects = [
  ...renderedSubjects(join(outFolder(), 'subjects')),
  ...(real ? photographedSubjects(real) : []),
];

interface Known {
  readonly subject: Subject;
  readonly photo: Buffer;
  readonly colour: readonly number[];
}

const known: Known[] = await Promise.all(
  subjects.map(async (subject) => {
    const photos = await photosOf(subject, side);
    const colours = photos.map(middleColour);
    const colour = [0, 1, 2].map((c) => colours.reduce((sum, one) => sum + (one[c] ?? 0), 0) / photos.length);
    return { subject, photo: await asPng(photos[0] as Picture), colour };
  }),
);

const asked: { card: Card; right: string; name: string }[] = [];
for (const one of known) {
  const sheet = await loadPicture(
    join(outFolder(), 'sweep', sheetName({ variant, subject: one.subject.name })),
  ).catch(() => null);
  if (!sheet) continue;
  const drawn = cutContactSheet(sheet, side).slice(-Math.floor(sheet.width / side));
  const others = known
    .filter((other) => other !== one)
    .sort((a, b) => apart(a.colour, one.colour) - apart(b.colour, one.colour));
  const candidates = random.shuffle([one, ...others.slice(0, 3)]);
  for (const picture of random.shuffle(drawn).slice(0, each))
    asked.push({
      card: [await asPng(picture), ...candidates.map(({ photo }) => photo)],
      ...{ right: 'ABCD'[candidates.indexOf(one)] ?? '', name: one.subject.name },
    });
}
random.shuffle(asked);
await drawCards(
  asked.map(({ card }) => card),
  to,
  ...[8, 1],
);
writeTable(
  join(to, 'key.csv'),
  ['number', 'set', 'subject', 'name'],
  asked.map(({ right, name }, i) => [String(i + 1), variant, right, name]),
);
console.log(`${asked.length} cards: ${to}`);

/** Mean colour of the middle quarter. */
function middleColour({ data, width, height }: Picture): number[] {
  const sums = [0, 0, 0];
  for (let y = height / 4; y < (3 * height) / 4; y++)
    for (let x = width / 4; x < (3 * width) / 4; x++)
      for (let c = 0; c < 3; c++) sums[c] = (sums[c] ?? 0) + (data[(y * width + x) * 3 + c] ?? 0);
  return sums.map((sum) => (4 * sum) / (width * height));
}

function apart(a: readonly number[], b: readonly number[]): number {
  return Math.hypot(...a.map((value, c) => value - (b[c] ?? 0)));
}

async function asPng({ data, width, height }: Picture): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}
