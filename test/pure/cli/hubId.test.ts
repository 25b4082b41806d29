import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { model } from '../../../src-main/cli/options.ts';
import { modelPlace, onlyFileIn } from '../../../src-main/features/download/hubCache.ts';
import { mayPass, retryAfter, waitBefore } from '../../../src-main/features/download/retry.ts';
import { wantedFiles } from '../../../src-main/features/download/wantedFiles.ts';

const cache = mkdtempSync(path.join(tmpdir(), 'likeness-hub-'));
const root = path.join(cache, 'models--someone--small');
const [older, newer] = ['a'.repeat(40), 'b'.repeat(40)];
const snapshot = (commit: string): string => path.join(root, 'snapshots', commit);

beforeAll(() => {
  vi.stubEnv('HF_HUB_CACHE', cache);
  vi.stubEnv('LIKENESS_CACHE', path.join(cache, 'own'));
  for (const commit of [older, newer]) mkdirSync(snapshot(commit), { recursive: true });
  mkdirSync(path.join(root, 'refs'));
  writeFileSync(path.join(root, 'refs', 'main'), `${newer}\n`);
  mkdirSync(path.join(cache, 'own', 'models', 'someone--other@main'), { recursive: true });
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

it('finds a model of the Hub by its id, at the main branch, a commit or the beginning of one', () => {
  expect(modelPlace('someone/small')).toBe(snapshot(newer));
  expect(modelPlace(`someone/small@${older}`)).toBe(snapshot(older));
  expect(modelPlace('someone/small@aaaaaaa')).toBe(snapshot(older));
});

it('finds what was downloaded here, and the snapshot in a folder of the cache', () => {
  expect(modelPlace('someone/other')).toBe(path.join(cache, 'own', 'models', 'someone--other@main'));
  expect(modelPlace(root)).toBe(snapshot(newer));
});

it('takes the address of a page on the Hub for its id, and no other address', () => {
  const page = 'https://huggingface.co/someone/small';
  for (const address of [page, `${page}/`, `${page}/tree/main`, 'https://hf.co/someone/small'])
    expect(modelPlace(address)).toBe(snapshot(newer));
  expect(modelPlace(`${page}/tree/${older}`)).toBe(snapshot(older));
  expect(() => modelPlace('https://huggingface.co/someone/none')).toThrow('likeness download someone/none ');
  const { read } = model('DIR', '');
  expect(read([page], '--model')).toBe(snapshot(newer));
  for (const address of ['https://civitai.com/models/4384', `${page}/resolve/main/a.safetensors`])
    expect(() => read([address], '--model')).toThrow(/on this machine \(download the file first\)/);
});

it('takes the folder of snapshots in the cache', () => {
  expect(modelPlace(path.join(root, 'snapshots'))).toBe(snapshot(newer));
});

it('says how to fetch what is not here, and leaves paths as they are', () => {
  for (const id of ['someone/none', 'someone/small@v2', 'someone/other@v2'])
    expect(() => modelPlace(id)).toThrow(`likeness download ${id}`);
  expect(modelPlace('./someone/none')).toBe(path.resolve('someone/none'));
  expect(modelPlace('test/pure')).toBe(path.resolve('test/pure'));
});

it('waits as long as a busy server asks, within reason', () => {
  expect([408, 429, 500, 503].every(mayPass)).toBe(true);
  expect([401, 403, 404].some(mayPass)).toBe(false);
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(retryAfter('7', now)).toBe(7000);
  expect(retryAfter('Thu, 01 Jan 2026 00:00:30 GMT', now)).toBe(30_000);
  expect(retryAfter('86400', now)).toBe(300_000);
  expect([retryAfter(null), retryAfter('soon')]).toEqual([undefined, undefined]);
  expect([1, 2, 3, 4].map(waitBefore)).toEqual([500, 1000, 2000, undefined]);
});

it('takes the only weights file of a folder, as LoRAs lie on the Hub', () => {
  const folder = mkdtempSync(path.join(cache, 'lora-'));
  const file = path.join(folder, 'my style.safetensors');
  writeFileSync(file, '');
  writeFileSync(path.join(folder, 'README.md'), '');
  expect(onlyFileIn(folder)).toBe(file);
  expect(onlyFileIn(file)).toBe(file);
  writeFileSync(path.join(folder, 'adapter_config.json'), '{}');
  expect(onlyFileIn(folder)).toBe(folder);
});

const listed = (...paths: readonly string[]) =>
  paths.map((each) => ({ path: each, size: 1, hash: { kind: 'git', value: '' } }) as const);
it.each([
  ['a LoRA', ['README.md', 'style.safetensors'], ['style.safetensors']],
  [
    'a LoRA of diffusers',
    ['pytorch_lora_weights.safetensors', 'x.safetensors'],
    ['pytorch_lora_weights.safetensors'],
  ],
  [
    'a CLIP model',
    [
      'config.json',
      'preprocessor_config.json',
      'vocab.json',
      'merges.txt',
      'flax_model.msgpack',
      'pytorch_model.bin',
    ],
    ['config.json', 'preprocessor_config.json', 'vocab.json', 'merges.txt', 'pytorch_model.bin'],
  ],
  [
    'a U-Net alone',
    ['config.json', 'diffusion_pytorch_model.safetensors', 'diffusion_pytorch_model.bin'],
    ['config.json', 'diffusion_pytorch_model.safetensors'],
  ],
  [
    'SDXL',
    [
      ...['unet', 'vae', 'text_encoder', 'text_encoder_2'].flatMap((part) => [
        `${part}/config.json`,
        `${part}/${part.startsWith('text') ? 'model' : 'diffusion_pytorch_model'}.fp16.safetensors`,
      ]),
      ...['tokenizer/vocab.json', 'tokenizer_2/vocab.json', 'vae_1_0/config.json', 'model_index.json'],
    ],
    [
      ...['unet/config.json', 'vae/config.json', 'text_encoder/config.json', 'text_encoder_2/config.json'],
      ...['tokenizer/vocab.json', 'tokenizer_2/vocab.json', 'model_index.json'],
      ...['unet/diffusion_pytorch_model.fp16.safetensors', 'vae/diffusion_pytorch_model.fp16.safetensors'],
      ...['text_encoder/model.fp16.safetensors', 'text_encoder_2/model.fp16.safetensors'],
    ],
  ],
])('fetches of %s what is used', (_, files, wanted) => {
  expect(wantedFiles('a/b', listed(...files)).map((file) => file.path)).toEqual(wanted);
});

it('fetches nothing where it is not clear what', () => {
  expect(() => wantedFiles('a/b', listed('one.safetensors', 'two.safetensors'))).toThrow(/a\/b/);
});
