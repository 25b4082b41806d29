import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  embeddingName,
  readEmbedding,
  wordVectors,
  writeEmbedding,
  type Embedding,
  type NewWords,
} from '../../engine/checkpoints/embedding.ts';
import { isFolder, makeFolder } from '../../engine/checkpoints/files.ts';

/** The one word into the file `out`, or several into files in a folder, called by their words. Errors: `file.unwritable`. */
export function writeWords(out: string, words: NewWords): void {
  const all = wordVectors(words);
  const [first] = all;
  if (first && all.length === 1) {
    writeEmbedding(out, ...first);
    return;
  }
  makeFolder(out);
  for (const [word, vectors] of all)
    writeEmbedding(join(out, `${embeddingName(word)}.safetensors`), word, vectors);
}

/** What `writeWords` wrote. Errors: those of `readEmbedding`. */
export function readWords(out: string): Embedding[] {
  if (!isFolder(out)) return [readEmbedding(out)];
  return readdirSync(out)
    .sort()
    .map((name) => readEmbedding(join(out, name)));
}
