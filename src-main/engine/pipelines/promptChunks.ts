import type { Tokenizer } from '../models/tokenizer.ts';
import { breakMark, parseWeights } from './promptWeights.ts';

/** As many ids as the text encoders take at once, with start and end, and the weight of each of one encoder's. */
export interface PromptChunk {
  readonly ids: readonly number[];
  readonly weights: readonly number[];
}

/** A text is broken after a comma, if there is one among so many of the last tokens. */
const backtrack = 20;

/**
 * The tokens of a prompt with weights, in chunks: as AUTOMATIC1111's web UI makes them (`tokenize_line`). A prompt without weights
 * that fits one chunk is what `Tokenizer.encode` makes of it.
 */
export function promptChunks(prompt: string, tokenizer: Tokenizer): PromptChunk[] {
  const room = tokenizer.maxLength - 2;
  const chunks: PromptChunk[] = [];
  let tokens: { id: number; weight: number }[] = [];
  /** Tokens up to the last comma; nothing before there is one. */
  let toComma: number | undefined;
  const close = (): void => {
    chunks.push(chunkOf(tokens, tokenizer));
    [tokens, toComma] = [[], undefined];
  };
  for (const part of parseWeights(prompt)) {
    if (part === breakMark) {
      close();
      continue;
    }
    for (const id of tokenizer.textIds(part.text)) {
      if (id === tokenizer.comma) toComma = tokens.length;
      else if (tokens.length === room && toComma !== undefined && tokens.length - toComma <= backtrack) {
        const moved = tokens.splice(toComma + 1);
        close();
        tokens = moved;
      }
      if (tokens.length === room) close();
      tokens.push({ id, weight: part.weight });
    }
  }
  if (tokens.length > 0 || chunks.length === 0) close();
  return chunks;
}

/** Fills up a prompt that is shorter than another of its batch. */
export function emptyChunk(tokenizer: Tokenizer): PromptChunk {
  return chunkOf([], tokenizer);
}

function chunkOf(
  tokens: readonly { readonly id: number; readonly weight: number }[],
  tokenizer: Tokenizer,
): PromptChunk {
  const ids = tokenizer.framed(tokens.map(({ id }) => id));
  const weights = tokens.map(({ weight }) => weight);
  const after = Array.from({ length: tokenizer.maxLength - weights.length - 1 }, () => 1);
  return { ids, weights: [1, ...weights, ...after] };
}
