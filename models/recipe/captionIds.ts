import { join } from 'node:path';
import { Tokenizer } from '../../src-main/engine/models/tokenizer.ts';
import { textConfig } from './modelConfig.ts';
import { outFolder } from './paths.ts';

/** The tokenizer of `makeTokenizer.ts`. */
export const tokenizerFolder = join(outFolder(), 'weights', 'tokenizer');
export const tokenizer = await Tokenizer.load(tokenizerFolder);

const special = (token: string): number => tokenizer.encode(token).ids[1] as number;

/** The text encoder's `config.json`, with what the tokenizer says. */
export const textFile = {
  ...textConfig,
  vocab_size: tokenizer.vocabularySize,
  bos_token_id: special('<|startoftext|>'),
  eos_token_id: special('<|endoftext|>'),
  pad_token_id: special('<|endoftext|>'),
};

const known = new Map<string, readonly number[]>();

/** Ids of a caption, tokenized once. */
export function captionIds(caption: string): readonly number[] {
  const ids = known.get(caption) ?? tokenizer.encode(caption).ids;
  known.set(caption, ids);
  return ids;
}
