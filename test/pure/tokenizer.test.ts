import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { promptTokens as places } from '../../models/recipe/settings.ts';
import { trainTokenizer, writeTokenizer } from '../../models/recipe/data/trainTokenizer.ts';
import { publishedTokenizer } from '../../src-main/engine/models/publishedTokenizer.ts';
import { Tokenizer } from '../../src-main/engine/models/tokenizer.ts';
import { LikenessError } from '../../src-shared/messages/index.ts';

const captions = [
  'a photo of a red car in the snow',
  'a photo of a blue car on the beach',
  'a red duck toy, in the snow',
  'the blue duck is in the car',
];

const trained = trainTokenizer(captions, 600);
/** The end token comes last. */
const end = Object.keys(trained.vocab).length - 1;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'likeness tökenizer '));
});
afterAll(() => rm(folder, { recursive: true }));

describe('trainTokenizer', () => {
  it('learns the words of its captions, the same for any order of them', () => {
    expect(trainTokenizer([...captions].reverse(), 600)).toEqual(trained);
    expect(Object.keys(trained.vocab)).toEqual(
      expect.arrayContaining(['photo</w>', 'car</w>', 'snow</w>', 'duck</w>']),
    );
    expect(Object.values(trained.vocab).sort((a, b) => a - b)).toEqual(
      Object.keys(trained.vocab).map((_, i) => i),
    );
    expect(trained.vocab['!']).toBe(0);
  });

  it('keeps to the size asked for', () => {
    expect(Object.keys(trainTokenizer(captions, 530).vocab)).toHaveLength(530);
  });

  it('writes a folder in which its words are one token each', async () => {
    await writeTokenizer(folder, trained);
    const tokenizer = await Tokenizer.load(folder);
    expect(tokenizer.tokenize('A  photo of\na RED car')).toEqual([
      'a</w>',
      'photo</w>',
      'of</w>',
      'a</w>',
      'red</w>',
      'car</w>',
    ]);
    const { ids, truncated } = tokenizer.encode('a red car');
    expect(ids).toHaveLength(places);
    expect([ids[0], ids[4], ids[places - 1]]).toEqual([end - 1, end, end]);
    expect(truncated).toBeUndefined();
  });

  it('shows what was cut off', async () => {
    const tokenizer = await Tokenizer.load(folder);
    const { ids, truncated } = tokenizer.encode(`${'car '.repeat(places - 2)}in the Snow`);
    expect(ids[places - 1]).toBe(end);
    expect(truncated).toBe('in the snow');
  });

  it('encodes half a surrogate pair as the replacement character, and very long words soon', async () => {
    const tokenizer = await Tokenizer.load(folder);
    expect(tokenizer.encode('\ud83d car')).toEqual(tokenizer.encode('\ufffd car'));
    expect(tokenizer.tokenize('car'.repeat(30_000)).length).toBeGreaterThan(1000);
  });
});

describe('tokenizer folders that are not', () => {
  const broken = async (files: Record<string, string>) => {
    const place = await mkdtemp(join(folder, 'broken-'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(place, name), text);
    return Tokenizer.load(place).then(
      () => 'loaded',
      (error: unknown) =>
        error instanceof LikenessError ? `${error.code}: ${error.message}` : String(error),
    );
  };
  const vocab = '{"a":0,"b</w>":1,"ab</w>":2}';
  it.each([
    ['nothing', {}, /^tokenizer\.missing/],
    ['no merges', { 'vocab.json': vocab }, /^tokenizer\.missing/],
    ['no JSON', { 'vocab.json': '{"a":', 'merges.txt': '' }, /vocab\.json.*not JSON/],
    ['ids that are text', { 'vocab.json': '{"a":"0"}', 'merges.txt': '' }, /vocab\.json.*"a"/],
    ['an array', { 'vocab.json': '[1]', 'merges.txt': '' }, /^tokenizer\.invalid/],
    ['a merge of three', { 'vocab.json': vocab, 'merges.txt': 'a b</w> c' }, /merges\.txt.*not a pair/],
    ['a merge to nowhere', { 'vocab.json': vocab, 'merges.txt': 'b</w> a' }, /"b<\/w>a" is merged/],
    [
      'special tokens as numbers',
      { 'vocab.json': vocab, 'merges.txt': 'a b</w>', 'special_tokens_map.json': '{"pad_token":3}' },
      /special_tokens_map\.json/,
    ],
  ] as [string, Record<string, string>, RegExp][])('%s', async (_, files, expected) => {
    expect(await broken(files)).toMatch(expected);
  });
});

describe('the published vocabulary', () => {
  const load = (hidden_act: 'gelu' | 'quick_gelu') => {
    const files = publishedTokenizer({ vocab_size: 49408, hidden_act }) ?? {};
    return Tokenizer.load('published', (name) => Promise.resolve(files[name]));
  };
  // openai/clip-vit-large-patch14's ids of these words.
  const ids = [49406, 320, 1125, 539, 320, 2368, 256, 49407];

  it("gives OpenAI's ids, padded with the end", async () => {
    const encoded = (await load('quick_gelu')).encode('A photo of a cat!').ids;
    expect(encoded).toEqual([...ids, ...new Array<number>(77 - ids.length).fill(49407)]);
  });

  it('pads with zeros for version 2', async () => {
    const tokenizer = await load('gelu');
    expect(tokenizer.encode('a photo of a cat').ids.slice(6)).toEqual([
      49407,
      ...new Array<number>(70).fill(0),
    ]);
  });

  it('is for text encoders of its size alone', () => {
    expect(publishedTokenizer({ vocab_size: 1000, hidden_act: 'gelu' })).toBeUndefined();
  });
});
