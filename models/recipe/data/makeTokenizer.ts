import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { option, outFolder } from '../paths.ts';
import { vocabularySize } from '../settings.ts';
import { trainTokenizer, writeTokenizer } from './trainTokenizer.ts';

// The vocabulary, from the captions of all shards of makeData.ts.

const pictures = join(outFolder(), option('name', 'train'));
const captions = readdirSync(pictures)
  .filter((file) => /^captions-\d+\.jsonl$/.test(file))
  .flatMap((file) => readFileSync(join(pictures, file), 'utf8').trim().split('\n'))
  .flatMap((line) => (JSON.parse(line) as { captions: string[] }).captions);
const folder = join(outFolder(), 'weights', 'tokenizer');
mkdirSync(folder, { recursive: true });
const made = trainTokenizer(captions, vocabularySize);
await writeTokenizer(folder, made);
console.log(`${Object.keys(made.vocab).length} tokens, ${made.merges.length} merges`);
