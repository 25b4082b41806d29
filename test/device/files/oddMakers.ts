import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { pack, type Header } from 'tar-stream';
import { draw, fixtures, model, train } from './goodFiles.ts';

/** Files that are wrong in a way that no changed byte makes, and the command that meets them. */
export interface OddCase {
  readonly name: string;
  /** Makes the files in an empty folder; returns the words of the command, which may write to `out` in it. */
  readonly make: (folder: string) => Promise<string[]> | string[];
}

export const checkpoints = path.join(fixtures, 'checkpoints');
export const anyPicture = (width = 40, height = 36) =>
  sharp({ create: { width, height, channels: 3, background: 'red' } });

/** A safetensors file with this header and so many bytes behind it. */
export function withHeader(header: string, bytes = 64): Buffer {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(bytes)]);
}

/** Photos in a folder, of which `make` adds or spoils one. */
export const photos = (name: string, make: (photos: string) => unknown): OddCase => ({
  name: `photos: ${name}`,
  make: async (folder) => {
    const place = path.join(folder, 'photos');
    mkdirSync(path.join(place, 'masks'), { recursive: true });
    await anyPicture().toFile(path.join(place, 'good.png'));
    await make(place);
    return train(place, path.join(folder, 'out'));
  },
});

/** A copy of the tiny model, of which `spoil` changes something. */
const inModel = (name: string, spoil: (model: string) => void): OddCase => ({
  name: `model: ${name}`,
  make: (folder) => {
    const copy = path.join(folder, 'model');
    cpSync(model, copy, { recursive: true });
    spoil(copy);
    return draw(path.join(folder, 'out'), '--model', copy);
  },
});

/** Its JSON file with other values for some keys. */
const withValues = (file: string, values: Record<string, unknown>, what = JSON.stringify(values)): OddCase =>
  inModel(`${file} with ${what}`, (copy) => {
    const place = path.join(copy, file);
    const json = JSON.parse(readFileSync(place, 'utf8')) as object;
    writeFileSync(place, JSON.stringify({ ...json, ...values }));
  });

export const asFile = (
  name: string,
  file: string,
  bytes: () => Buffer | string,
  option = '--model',
): OddCase => ({
  name,
  make: (folder) => {
    const place = path.join(folder, file);
    writeFileSync(place, bytes());
    const own = option === '--model' ? [] : ['--model', model];
    return draw(path.join(folder, 'out'), ...own, option, place);
  },
});

const header = (entries: string): string => `{${entries}}`;
const tensor = (name: string, more: string): string => `"${name}":{"dtype":"F32",${more}}`;

export const headers: Readonly<Record<string, string>> = {
  'a negative shape': header(tensor('a', '"shape":[-4,-4],"data_offsets":[0,64]')),
  'a shape with a fraction': header(tensor('a', '"shape":[0.5,32],"data_offsets":[0,64]')),
  'a shape of words': header(tensor('a', '"shape":["16"],"data_offsets":[0,64]')),
  'one name twice': header(
    [
      tensor('a', '"shape":[16],"data_offsets":[0,64]'),
      tensor('a', '"shape":[4],"data_offsets":[0,16]'),
    ].join(),
  ),
  'tensors that overlap': header(
    [
      tensor('a', '"shape":[16],"data_offsets":[0,64]'),
      tensor('b', '"shape":[8],"data_offsets":[32,64]'),
    ].join(),
  ),
  'a size beyond all numbers': header(
    tensor('a', '"shape":[4294967296,4294967296,4294967296],"data_offsets":[0,64]'),
  ),
  'no tensors': '{}',
  'a list': '[1,2,3]',
  null: 'null',
  'metadata that is no text': '{"__metadata__":{"a":{"b":[1]}}}',
  'a name of 100,000 letters': header(tensor('x'.repeat(100_000), '"shape":[16],"data_offsets":[0,64]')),
  'a name with line breaks': header(tensor('a\\n\\u0000\\u202eb', '"shape":[16],"data_offsets":[0,64]')),
  'the name __proto__': header(tensor('__proto__', '"shape":[16],"data_offsets":[0,64]')),
  '20,000 brackets': '['.repeat(20_000),
};

export const configs: readonly OddCase[] = [
  withValues('unet/config.json', { block_out_channels: [] }),
  withValues('unet/config.json', { block_out_channels: [1e9, 1e9] }),
  withValues('unet/config.json', { layers_per_block: 1e9 }),
  withValues('unet/config.json', { layers_per_block: 0 }),
  withValues('unet/config.json', { attention_head_dim: 0 }),
  withValues('unet/config.json', { norm_num_groups: 0 }),
  withValues('unet/config.json', { norm_num_groups: 7 }),
  withValues('unet/config.json', { cross_attention_dim: -16 }),
  withValues('unet/config.json', { sample_size: -1 }),
  withValues('unet/config.json', { sample_size: 1e7 }),
  withValues('vae/config.json', { scaling_factor: 0 }),
  withValues('vae/config.json', { latent_channels: 1e6 }),
  withValues('text_encoder/config.json', { num_hidden_layers: 1e8 }),
  withValues('text_encoder/config.json', { vocab_size: 2 }),
  withValues('text_encoder/config.json', { max_position_embeddings: 1 }),
  withValues('scheduler/scheduler_config.json', { num_train_timesteps: 0 }),
  withValues('scheduler/scheduler_config.json', { num_train_timesteps: 1e12 }),
  withValues('scheduler/scheduler_config.json', { beta_start: 2, beta_end: 3 }),
  withValues('scheduler/scheduler_config.json', { trained_betas: [0.1, 'x', null] }),
  withValues('scheduler/scheduler_config.json', { steps_offset: -5000 }),
  inModel('a config with NaN and -Infinity', (copy) => {
    const place = path.join(copy, 'unet/config.json');
    const text = readFileSync(place, 'utf8');
    writeFileSync(
      place,
      text.replace(/"norm_eps": [^,]*/, '"norm_eps": NaN').replace('{', '{"x": -Infinity,'),
    );
  }),
  inModel('a config in UTF-16', (copy) => {
    const place = path.join(copy, 'unet/config.json');
    writeFileSync(place, Buffer.from(`\uFEFF${readFileSync(place, 'utf8')}`, 'utf16le'));
  }),
  inModel('a config that is empty', (copy) => writeFileSync(path.join(copy, 'vae/config.json'), '')),
  inModel('weights that are empty', (copy) =>
    writeFileSync(path.join(copy, 'unet/diffusion_pytorch_model.safetensors'), ''),
  ),
  inModel('a folder in place of its weights', (copy) => {
    const place = path.join(copy, 'unet/diffusion_pytorch_model.safetensors');
    rmSync(place);
    mkdirSync(place);
  }),
  inModel('a link to itself in place of a folder', (copy) => {
    rmSync(path.join(copy, 'unet'), { recursive: true });
    symlinkSync('unet', path.join(copy, 'unet'));
  }),
  inModel('a link to itself in place of weights', (copy) => {
    const place = path.join(copy, 'vae/diffusion_pytorch_model.safetensors');
    rmSync(place);
    symlinkSync(path.basename(place), place);
  }),
  inModel('a pipe in place of a config', (copy) => {
    rmSync(path.join(copy, 'vae/config.json'));
    execFileSync('mkfifo', [path.join(copy, 'vae/config.json')]);
  }),
  inModel('a vocabulary that is a list', (copy) =>
    writeFileSync(path.join(copy, 'tokenizer/vocab.json'), '["a","b"]'),
  ),
  inModel('a vocabulary of one id', (copy) => {
    const place = path.join(copy, 'tokenizer/vocab.json');
    const words = Object.keys(JSON.parse(readFileSync(place, 'utf8')) as object);
    writeFileSync(place, JSON.stringify(Object.fromEntries(words.map((word) => [word, 1]))));
  }),
  inModel('shards that are a circle', (copy) => {
    const unet = path.join(copy, 'unet');
    const index = 'diffusion_pytorch_model.safetensors.index.json';
    rmSync(path.join(unet, 'diffusion_pytorch_model.safetensors'));
    writeFileSync(path.join(unet, index), JSON.stringify({ weight_map: { 'conv_in.weight': index } }));
  }),
];

export const tarOf = async (
  file: string,
  entries: readonly (readonly [Partial<Header> & { readonly name: string }, string?])[],
): Promise<void> => {
  const tar = pack();
  for (const [head, content] of entries) tar.entry(head, content ?? '');
  tar.finalize();
  const parts: Buffer[] = [];
  for await (const part of tar) parts.push(part as Buffer);
  writeFileSync(file, Buffer.concat(parts));
};

export const distilling = (name: string, make: (data: string) => Promise<void> | void): OddCase => ({
  name: `data: ${name}`,
  make: async (folder) => {
    const data = path.join(folder, 'data');
    mkdirSync(data);
    await anyPicture(32, 32).toFile(path.join(data, '1.png'));
    await make(data);
    return [
      ...['distill', '--teacher', model, '--student', model, '--data', data, '--steps', '1', '--batch', '1'],
      ...['--size', '32x32', '--out', path.join(folder, 'out'), '--provider', 'cpu'],
    ];
  },
});

/** Cases beside a run that was trained before. */
export const inRun = (
  run: string,
  name: string,
  spoil: (run: string) => void,
  words?: (run: string, out: string) => string[],
): OddCase => ({
  name: `run: ${name}`,
  make: (folder) => {
    const copy = path.join(folder, 'input');
    cpSync(run, copy, { recursive: true });
    spoil(copy);
    const out = path.join(folder, 'out');
    return words?.(copy, out) ?? ['export', '--run', copy, '--format', 'kohya', '--out', out];
  },
});
export const inRunJson = (run: string, key: string, value: unknown): OddCase =>
  inRun(run, `${key}: ${JSON.stringify(value).slice(0, 40)}`, (copy) => {
    const place = path.join(copy, 'run.json');
    const json = JSON.parse(readFileSync(place, 'utf8')) as { settings: object };
    const settings = { ...json.settings, [key]: value };
    writeFileSync(place, JSON.stringify({ ...json, settings }));
  });
