import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { problem } from '../../../src-shared/messages/index.ts';

/** A token that is found in the text before anything is split: in the raw text, or in the normalized. */
export interface AddedToken {
  readonly content: string;
  readonly normalized: boolean;
}

/** All that a tokenizer folder holds. `ids` holds the added tokens too. */
export interface TokenizerFiles {
  readonly ids: ReadonlyMap<string, number>;
  /** Pairs in order of learning. */
  readonly merges: readonly (readonly [string, string])[];
  readonly added: readonly AddedToken[];
  readonly bos: string;
  readonly eos: string;
  readonly unk: string;
  readonly pad: string;
  readonly maxLength: number;
}

const vocabulary = z.record(z.string(), z.int().min(0));
const token = z.union([
  z.string(),
  z.looseObject({ content: z.string(), normalized: z.boolean().optional() }),
]);
const named = { bos_token: token, eos_token: token, unk_token: token, pad_token: token };
const specialTokens = z.looseObject(named).partial();
const tokenizerConfig = z
  .looseObject({ ...named, added_tokens_decoder: z.record(z.string(), token), model_max_length: z.number() })
  .partial();
const tokenizerJson = z.looseObject({
  added_tokens: z
    .array(z.looseObject({ id: z.int().min(0), content: z.string(), normalized: z.boolean().optional() }))
    .optional(),
  model: z.looseObject({
    vocab: vocabulary,
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
  }),
});

// A pipe would block for ever.
const maxBytes = 16e6;

async function readText(file: string): Promise<string | undefined> {
  try {
    const stats = await stat(file);
    if (!stats.isFile() || stats.size > maxBytes) throw new Error('no regular file of a sensible size');
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw problem('tokenizer.invalid', { file, why: 'it cannot be read' }, error);
  }
}

function parseJson<T>(text: string | undefined, file: string, schema: z.ZodType<T>): T | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const why =
      cause instanceof z.ZodError ? `"${cause.issues[0]?.path.join('.')}" is invalid` : 'it is not JSON';
    throw problem('tokenizer.invalid', { file, why }, cause);
  }
}

function pair(line: string, file: string): readonly [string, string] {
  const [left, right, more] = line.split(' ');
  if (!left || !right || more !== undefined) {
    throw problem('tokenizer.invalid', { file, why: `"${line.slice(0, 40)}" is not a pair of tokens` });
  }
  return [left, right];
}

/** Strings become special tokens, and those are looked for in the raw text (tokenizers' `AddedToken(…, special=True)`). */
const asAdded = (value: z.infer<typeof token>): AddedToken =>
  typeof value === 'string'
    ? { content: value, normalized: false }
    : { content: value.content, normalized: value.normalized ?? false };

/**
 * Reads `tokenizer.json`, else `vocab.json` and `merges.txt`, with the special tokens as transformers 5 finds them:
 * `tokenizer_config.json`, over it `special_tokens_map.json` unless the former lists `added_tokens_decoder`. `read` gives the
 * text of a file of that name, for folders that are not on disk.
 */
export async function readTokenizerFiles(
  folder: string,
  read: (name: string) => Promise<string | undefined> = (name) => readText(join(folder, name)),
): Promise<TokenizerFiles> {
  const file = (name: string) => join(folder, name);
  const json = async <T>(name: string, schema: z.ZodType<T>) =>
    parseJson(await read(name), file(name), schema);
  const whole = await json('tokenizer.json', tokenizerJson);
  const vocab = whole?.model.vocab ?? (await json('vocab.json', vocabulary));
  const mergesText = whole ? undefined : await read('merges.txt');
  if (!vocab || (!whole && mergesText === undefined)) throw problem('tokenizer.missing', { folder });
  const mergesFile = file(whole ? 'tokenizer.json' : 'merges.txt');
  const lines = (mergesText ?? '')
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#version'));
  const merges = (whole?.model.merges ?? lines).map((entry) =>
    typeof entry === 'string' ? pair(entry, mergesFile) : ([entry[0], entry[1]] as const),
  );

  const config = (await json('tokenizer_config.json', tokenizerConfig)) ?? {};
  const map = config.added_tokens_decoder ? undefined : await json('special_tokens_map.json', specialTokens);
  const loose = config.added_tokens_decoder ? undefined : await json('added_tokens.json', vocabulary);
  const names = { ...config, ...map };

  const numbered = new Map<number, AddedToken>();
  for (const [id, value] of Object.entries(config.added_tokens_decoder ?? {}))
    numbered.set(Number(id), asAdded(value));
  for (const [content, id] of Object.entries(loose ?? {})) numbered.set(id, { content, normalized: true });
  for (const entry of (!config.added_tokens_decoder && whole?.added_tokens) || [])
    numbered.set(entry.id, asAdded(entry));
  const listed = [...numbered].sort(([a], [b]) => a - b).map(([, value]) => value);

  const special = (value: z.infer<typeof token> | undefined, fallback: string): AddedToken => {
    const own = asAdded(value ?? fallback);
    return listed.find(({ content }) => content === own.content) ?? own;
  };
  const end = '<|endoftext|>';
  const bos = special(names.bos_token, '<|startoftext|>');
  const [eos, unk, pad] = [
    special(names.eos_token, end),
    special(names.unk_token, end),
    special(names.pad_token, end),
  ];

  const ids = new Map(Object.entries(vocab));
  const added = new Map<string, AddedToken>();
  for (const entry of [...listed, bos, eos, unk, pad]) {
    if (!ids.has(entry.content)) ids.set(entry.content, ids.size);
    // Of two entries for one token the later counts, as in the tokenizers library.
    added.set(entry.content, entry);
  }
  const longest = config.model_max_length ?? Infinity;
  return {
    ...{ ids, merges, added: [...added.values()] },
    ...{ bos: bos.content, eos: eos.content, unk: unk.content, pad: pad.content },
    maxLength: longest >= 2 && longest <= 4096 ? longest : 77,
  };
}
