import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatorFor } from '../../src-main/engine/tensor/seeded.ts';
import { fitLinearEncoder } from './linearEncoder.ts';
import { side } from './modelConfig.ts';
import { option, outFolder } from './paths.ts';
import { Pictures } from './shards.ts';

// Stage 2: the encoder, in closed form, from 600 pictures.

const pictures = new Pictures(join(outFolder(), option('name', 'train')));
const some = generatorFor(2, 'encoder', 0).randint(0, pictures.count, [600]);
const encoder = fitLinearEncoder(
  some.map((index) => pictures.crop(index, side, [0, 0], false)),
  side,
);
const work = join(outFolder(), 'weights');
mkdirSync(work, { recursive: true });
const numbers = {
  halvings: encoder.halvings.map(({ channels, rows }) => ({
    channels,
    rows: rows.map((row) => Array.from(row)),
  })),
  offset: encoder.offset,
};
writeFileSync(join(work, 'encoder.json'), `${JSON.stringify(numbers)}\n`);
