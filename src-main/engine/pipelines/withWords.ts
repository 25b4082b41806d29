import type { NewWords } from '../checkpoints/embedding.ts';
import type { Model } from '../checkpoints/model.ts';
import type { NetworkOptions } from './networks.ts';
import { openTokenizer } from './openTokenizer.ts';
import { TextToImage } from './textToImage.ts';

/** The model with a text encoder that takes `count` more tokens. */
export function withRoomForWords(model: Model, count = 0): Model {
  const { config } = model.textEncoder;
  const larger = { ...config, vocab_size: config.vocab_size + count };
  return { ...model, textEncoder: { ...model.textEncoder, config: larger } };
}

/** Text to image by a model that has learnt these words beside its own, if there are any. Errors: `embedding.taken`, `tokenizer.*`. */
export async function textToImageWith(
  words: NewWords | undefined,
  model: Model,
  options: NetworkOptions,
): Promise<TextToImage> {
  const tokenizer = await openTokenizer(model);
  if (!words || words.counts.size === 0) return new TextToImage(model, tokenizer, options);
  return new TextToImage(
    withRoomForWords(model, words.vectors.shape[0]),
    tokenizer.withWords(words.counts, words.firstId),
    { ...options, words: words.vectors },
  );
}
