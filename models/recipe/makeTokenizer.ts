import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { vocabularySize } from './modelConfig.ts';
import { option, outFolder } from './paths.ts';
import { Pictures } from './shards.ts';
import { trainTokenizer, writeTokenizer } from './trainTokenizer.ts';

// Stage 1: the vocabulary, from all captions.

const pictures = new Pictures(join(outFolder(), option('name', 'train')));
const folder = join(outFolder(), 'weights', 'tokenizer');
mkdirSync(folder, { recursive: true });
const made = trainTokenizer(
  pictures.captions.flatMap(({ captions }) => captions),
  vocabularySize,
);
await writeTokenizer(folder, made);
console.log(`${Object.keys(made.vocab).length} tokens, ${made.merges.length} merges`);
