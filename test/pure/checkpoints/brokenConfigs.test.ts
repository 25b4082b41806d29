import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { deep, expectRefused } from './refused.ts';

const fixture = join(import.meta.dirname, '../../golden/fixtures/models/tiny-bk');

describe('broken configs', () => {
  const texts = [
    ...['', '{', '[]', 'null', '5', '"text"'],
    `{"block_out_channels":${deep(50_000)}}`,
    `{"_class_name":${deep(50_000)}}`,
  ];
  const changes: Record<string, unknown>[] = [
    { _class_name: 'FluxTransformer2DModel' },
    { addition_embed_type: 'text_time' },
    { block_out_channels: new Array(17).fill(8) },
    { block_out_channels: 'big' },
    { block_out_channels: [2 ** 30, 2 ** 30, 2 ** 30] },
    { layers_per_block: 1e9 },
    { layers_per_block: null },
    { attention_head_dim: 0 },
    { norm_num_groups: 0 },
    { cross_attention_dim: 999 },
    { act_fn: 'sorcery' },
    { mid_block_type: 'Elephant' },
    { sample_size: -1 },
    { in_channels: 10 },
  ];
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'likeness-broken-'));
    cpSync(fixture, folder, { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([...texts, ...changes])('U-Net: %j', (change) => {
    const file = join(folder, 'unet/config.json');
    const original = readFileSync(file, 'utf8');
    const changed =
      typeof change === 'string'
        ? change
        : JSON.stringify({ ...(JSON.parse(original) as object), ...change });
    writeFileSync(file, changed);
    expectRefused(() => openModel(folder));
    writeFileSync(file, original);
    expect(openModel(folder).kind).toBe('diffusers');
  });

  const standIns = [
    ['<!DOCTYPE html>\n<html><head><title>Sign in', 'web page'],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 34\n', 'Git LFS pointer'],
    ['{"error":"Access to this model is restricted"}', 'server answers.*restricted'],
  ] as const;
  const places = [
    ...['unet/config.json', 'text_encoder/config.json', 'scheduler/scheduler_config.json'],
    ...['model_index.json', 'tokenizer/vocab.json', 'tokenizer/merges.txt'],
  ];
  it.each(places.flatMap((name) => standIns.map(([text, what]) => [name, what, text] as const)))(
    '%s that is really a %s is called so',
    (name, what, text) => {
      const file = join(folder, name);
      const original = readFileSync(file, 'utf8');
      writeFileSync(file, text);
      const read = (): unknown => openModel(folder);
      expect(read).toThrow(new RegExp(what));
      expect(read).toThrow(name);
      writeFileSync(file, original);
    },
  );

  it.each([
    'vae/config.json',
    'text_encoder/config.json',
    'model_index.json',
    'scheduler/scheduler_config.json',
  ])('%s that is a folder, or no JSON', (name) => {
    const file = join(folder, name);
    const original = readFileSync(file, 'utf8');
    writeFileSync(file, '{"a":');
    expectRefused(() => openModel(folder));
    rmSync(file);
    mkdirSync(file);
    // An index is optional, so one that can't be one is as good as none.
    if (name !== 'model_index.json') expectRefused(() => openModel(folder));
    rmSync(file, { recursive: true });
    writeFileSync(file, original);
  });
});
