import path from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import { isFolder } from '../checkpoints/files.ts';
import type { Model } from '../checkpoints/model.ts';
import { Tokenizer } from '../models/tokenizer.ts';

/**
 * The model's tokenizer. A single file has none inside; then a folder `tokenizer` beside the file, or in a folder of the file's name,
 * is taken. Errors: `tokenizer.wanting`, `tokenizer.*`.
 */
export async function openTokenizer(model: Model): Promise<Tokenizer> {
  return Tokenizer.load(tokenizerFolder(model));
}

/** Where it lies. Errors: `tokenizer.wanting`. */
export function tokenizerFolder(model: Model): string {
  if (model.tokenizer) return model.tokenizer.folder;
  const { dir, name } = path.parse(model.path);
  const beside = [path.join(dir, 'tokenizer'), path.join(dir, name, 'tokenizer')].find(isFolder);
  if (!beside) throw problem('tokenizer.wanting', { file: model.path, folder: path.join(dir, 'tokenizer') });
  return beside;
}
