/**
 * Draws prompts by chance out of what is taught, none of which any caption had: half of them with a colour.
 *
 *   npx tsx models/recipe/data/makePrompts.ts [--out FOLDER] [--count 60] [--seed 3] [--to FILE]
 *
 * Writes a table for `likeness generate --prompts`, and beside it `…-answers.csv` with each picture's noun and place, for whoever
 * compares what a viewer saw.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { numberOption, option, outFolder } from '../paths.ts';
import { withArticle } from '../render/article.ts';
import { Random } from '../render/random.ts';
import { scenes } from '../render/scenes.ts';
import { taughtNouns, untaughtScenes } from './selection.ts';

const folder = join(outFolder(), option('name', 'train'));
const known = new Set(
  readdirSync(folder)
    .filter((file) => /^captions-\d+\.jsonl$/.test(file))
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').trim().split('\n'))
    .flatMap((line) => (JSON.parse(line) as { captions: string[] }).captions),
);
const random = new Random(numberOption('seed', 3));
const nouns = [...taughtNouns.keys()];
const places = scenes.filter(({ key }) => !untaughtScenes.has(key) && !key.startsWith('background-'));
/** What comes in one colour or its own. */
const uncoloured =
  /^(dog|cat|rabbit|horse|flowers|potted plant|christmas tree|snowman|hamburger|birthday cake|cactus|basket)$/;

const rows: { prompt: string; noun: string; place: string }[] = [];
while (rows.length < numberOption('count', 60)) {
  const noun = random.pick(nouns);
  const place = random.pick(places);
  const color =
    !uncoloured.test(noun) && random.chance(0.6) ? random.pick(['red', 'blue', 'green', 'yellow']) : '';
  const thing = withArticle(color ? `${color} ${noun}` : noun, noun);
  const wordings = ['', 'a photo of '].flatMap((start) =>
    place.phrases.map((phrase) => `${start}${thing} ${phrase}`),
  );
  const fresh = wordings.filter((wording) => !known.has(wording));
  if (fresh.length > 0) rows.push({ prompt: random.pick(fresh), noun, place: place.key });
}
const to = option('to', join(outFolder(), 'unseenPrompts.csv'));
const name = (i: number): string => `${String(i).padStart(3, '0')}.png`;
const table = (head: string, line: (row: (typeof rows)[number]) => string): string =>
  [head, ...rows.map((row, i) => `${name(i)},${line(row)}`), ''].join('\n');
writeFileSync(
  to,
  table('file_name,text', ({ prompt }) => prompt),
);
writeFileSync(
  to.replace(/\.csv$/, '-answers.csv'),
  table('file_name,noun,place', ({ noun, place }) => `${noun},${place}`),
);
console.log(`${rows.length} prompts: ${to}`);
