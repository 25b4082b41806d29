/**
 * What a stranger sees in drawn prompts. Mixes the pictures of one or more models in a random order, without their prompts:
 *
 *   npx tsx models/recipe/look/blindNames.ts --pictures DRAWN,DRAWN-BY-ANOTHER --answers ANSWERS.csv --to TEST [--seed 1]
 *
 * The folders are of `likeness generate --prompts`, the answers of data/makePrompts.ts. In TEST stand sheets, words.txt with all nouns and
 * places that there are, and key.csv, not to be opened. A viewer who has seen nothing else writes TEST/named.csv (number,noun,place), then
 *
 *   npx tsx models/recipe/look/tally.ts --test TEST
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { taughtNouns, untaughtScenes } from '../data/selection.ts';
import { numberOption, option } from '../paths.ts';
import { Random } from '../render/random.ts';
import { scenes } from '../render/scenes.ts';
import { drawCards } from './cards.ts';
import { readTable, writeTable } from './tables.ts';

const to = option('to', '');
const answers = readTable(option('answers', ''));
const folders = option('pictures', '').split(',');
const all = folders.flatMap((folder) =>
  answers.map(({ file_name = '', noun = '', place = '' }) => ({ folder, file_name, noun, place })),
);
const mixed = new Random(numberOption('seed', 1)).shuffle(all);

await drawCards(
  mixed.map(({ folder, file_name }) => [join(folder, file_name)]),
  to,
  ...[20, 5],
);
const places = scenes.filter(({ key }) => !untaughtScenes.has(key) && !key.startsWith('background-'));
const words = [
  ...['Nouns:', ...taughtNouns.keys(), ''],
  ...['Places:', ...places.map(({ key, phrases }) => `${key} (${phrases[0] ?? ''})`), ''],
];
writeFileSync(join(to, 'words.txt'), words.join('\n'));
writeTable(
  join(to, 'key.csv'),
  ['number', 'set', 'file', 'noun', 'place'],
  mixed.map(({ folder, file_name, noun, place }, i) => [String(i + 1), folder, file_name, noun, place]),
);
console.log(`${mixed.length} pictures: ${to}`);
