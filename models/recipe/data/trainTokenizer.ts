import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  byteCharacters,
  normalizeText,
  splitWords,
  toByteCharacters,
  vocabularyBytes,
} from '../../../src-main/engine/models/tokenizerText.ts';
import { promptTokens } from '../settings.ts';

export interface TrainedTokenizer {
  /** Token → id: 256 bytes, 256 bytes at a word's end, merges in order of learning, start and end of text. */
  readonly vocab: Record<string, number>;
  readonly merges: [string, string][];
}

interface Word {
  symbols: string[];
  readonly count: number;
}

/**
 * Learns a CLIP-style byte-pair vocabulary (Sennrich, Haddow, Birch 2016): the most frequent pair within words is
 * merged until the vocabulary has `vocabSize` tokens or no pair occurs twice. Equal counts go by code-unit order, so
 * the same captions in any order give the same files.
 */
export function trainTokenizer(captions: Iterable<string>, vocabSize: number): TrainedTokenizer {
  const words = countWords(captions);
  const counts = new Map<string, number>();
  const homes = new Map<string, Set<Word>>();
  const register = (word: Word, sign: 1 | -1) => {
    for (let i = 0; i + 1 < word.symbols.length; i++) {
      const pair = `${word.symbols[i]} ${word.symbols[i + 1]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + sign * word.count);
      if (sign > 0) homes.set(pair, (homes.get(pair) ?? new Set()).add(word));
    }
  };
  for (const word of words) register(word, 1);

  const bytes = vocabularyBytes.map((byte) => byteCharacters[byte] as string);
  const tokens = new Set([...bytes, ...bytes.map((character) => `${character}</w>`)]);
  const merges: [string, string][] = [];
  while (tokens.size < vocabSize - 2) {
    let best = '';
    let most = 1;
    for (const [pair, count] of counts) {
      if (count > most || (count === most && most > 1 && pair < best)) [best, most] = [pair, count];
    }
    if (!best) break;
    const [left, right] = best.split(' ') as [string, string];
    merges.push([left, right]);
    tokens.add(left + right);
    for (const word of homes.get(best) ?? []) {
      register(word, -1);
      word.symbols = mergePair(word.symbols, left, right);
      register(word, 1);
    }
    counts.delete(best);
    homes.delete(best);
  }
  const vocab = Object.fromEntries(
    [...tokens, '<|startoftext|>', '<|endoftext|>'].map((token, id) => [token, id]),
  );
  return { vocab, merges };
}

function countWords(captions: Iterable<string>): Word[] {
  const counts = new Map<string, number>();
  for (const caption of captions) {
    for (const word of splitWords(normalizeText(caption))) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return Array.from(counts, ([word, count]) => {
    const symbols = toByteCharacters(word);
    symbols[symbols.length - 1] += '</w>';
    return { symbols, count };
  });
}

function mergePair(symbols: readonly string[], left: string, right: string): string[] {
  const merged: string[] = [];
  for (let i = 0; i < symbols.length; i++) {
    const isPair = symbols[i] === left && symbols[i + 1] === right;
    merged.push(isPair ? left + right : (symbols[i] as string));
    if (isPair) i++;
  }
  return merged;
}

/** Writes the four files of a `tokenizer` folder as Stable Diffusion 1 has them. */
export async function writeTokenizer(folder: string, { vocab, merges }: TrainedTokenizer): Promise<void> {
  const marker = { lstrip: false, normalized: true, rstrip: false, single_word: false };
  const bos = { content: '<|startoftext|>', ...marker };
  const eos = { content: '<|endoftext|>', ...marker };
  const special = { bos_token: bos, eos_token: eos, pad_token: '<|endoftext|>', unk_token: eos };
  const typed = (token: typeof bos) => ({ __type: 'AddedToken', ...token });
  const config = {
    add_prefix_space: false,
    bos_token: typed(bos),
    do_lower_case: true,
    eos_token: typed(eos),
    errors: 'replace',
    model_max_length: promptTokens,
    pad_token: '<|endoftext|>',
    tokenizer_class: 'CLIPTokenizer',
    unk_token: typed(eos),
  };
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'vocab.json'), `${JSON.stringify(vocab)}\n`);
  await writeFile(
    join(folder, 'merges.txt'),
    ['#version: 0.2', ...merges.map((pair) => pair.join(' ')), ''].join('\n'),
  );
  await writeFile(join(folder, 'special_tokens_map.json'), json(special));
  await writeFile(join(folder, 'tokenizer_config.json'), json(config));
}
