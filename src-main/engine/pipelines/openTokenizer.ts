import path from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import { isFolder } from '../checkpoints/files.ts';
import type { Model, TokenizerFiles } from '../checkpoints/model.ts';
import { tokenizerFiles } from '../checkpoints/modelFolder.ts';
import { publishedTokenizer } from '../models/publishedTokenizer.ts';
import { Tokenizer } from '../models/tokenizer.ts';

/**
 * The model's tokenizer. A single file holds none: then it is the folder beside it, or else the vocabulary that Stable Diffusion
 * was published with, if that fits. Errors: `tokenizer.wanting`, `tokenizer.*`.
 */
export async function openTokenizer(model: Model): Promise<Tokenizer> {
  const first = await openFirst(model);
  if (!model.textEncoder2) return first;
  const files = model.tokenizer2 ?? besideFile(model, 'tokenizer_2');
  const published = publishedTokenizer({ ...model.textEncoder2.config, hidden_act: 'gelu' });
  const second = files
    ? await Tokenizer.load(files.folder)
    : published && (await Tokenizer.load(model.path, (name) => Promise.resolve(published[name])));
  if (!second) throw problem('tokenizer.wanting', { file: model.path, folder: 'tokenizer_2' });
  return first.withSecond(second, files?.folder ?? model.path);
}

async function openFirst(model: Model): Promise<Tokenizer> {
  const files = tokenizerOf(model);
  if (files) return Tokenizer.load(files.folder);
  const published = publishedTokenizer(model.textEncoder.config);
  if (published) return Tokenizer.load(model.path, (name) => Promise.resolve(published[name]));
  const folder = path.join(path.dirname(model.path), 'tokenizer');
  throw problem('tokenizer.wanting', { file: model.path, folder });
}

/** The model's own, or that in a folder `tokenizer` beside a single file, or in a folder of the file's name. */
export function tokenizerOf(model: Model): TokenizerFiles | undefined {
  return model.tokenizer ?? besideFile(model, 'tokenizer');
}

function besideFile(model: Model, folder: 'tokenizer' | 'tokenizer_2'): TokenizerFiles | undefined {
  const { dir, name } = path.parse(model.path);
  const beside = [path.join(dir, folder), path.join(dir, name, folder)].find(isFolder);
  return beside === undefined ? undefined : tokenizerFiles(beside);
}
