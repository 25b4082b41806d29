import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelHash } from '../../../src-main/engine/checkpoints/modelHash.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { expectTensor, readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { writeDiffusers } from '../../../src-main/engine/checkpoints/writeModel.ts';
import { writeSafetensors } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { f32, type FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

const original = join(import.meta.dirname, '../../golden/fixtures/models/tiny-sd1');
let scratch: string;
let folder: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'likeness folder 🎈-'));
  folder = join(scratch, 'my model');
  cpSync(original, folder, { recursive: true });
});
afterEach(() => rmSync(scratch, { recursive: true }));

const unetFile = () => join(folder, 'unet/diffusion_pytorch_model.safetensors');
const editJson = (file: string, change: (json: Record<string, unknown>) => void) => {
  const json = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>;
  change(json);
  writeFileSync(join(folder, file), JSON.stringify(json));
};

/** Splits the U-Net's weights into two files and an index. */
function shard(first = 'part-1.safetensors', second = 'part-2.safetensors') {
  const entries = [...readSafetensors(unetFile()).tensors].map(([name, tensor]) => ({ name, tensor }));
  const half = entries.length >> 1;
  writeSafetensors(join(folder, 'unet/part-1.safetensors'), entries.slice(0, half));
  writeSafetensors(join(folder, 'unet/part-2.safetensors'), entries.slice(half));
  const map = entries.map(({ name }, i) => [name, i < half ? first : second]);
  const index = { metadata: {}, weight_map: Object.fromEntries(map) as Record<string, string> };
  writeFileSync(join(folder, 'unet/diffusion_pytorch_model.safetensors.index.json'), JSON.stringify(index));
  rmSync(unetFile());
}

describe('openModel on a diffusers folder', () => {
  it('gives configs, weights under canonical names, scheduler and tokenizer', () => {
    const model = openModel(folder);
    expect(model.kind).toBe('diffusers');
    expect(model.unet.config.block_out_channels).toEqual([8, 16, 16, 16]);
    expect(model.vae.weights.has('decoder.mid_block.attentions.0.to_q.weight')).toBe(true);
    expect(model.vae.weights.has('decoder.mid_block.attentions.0.query.weight')).toBe(false);
    expect(model.textEncoder.weights.has('text_model.encoder.layers.0.self_attn.q_proj.weight')).toBe(true);
    expect(model.textEncoder.weights.names().some((name) => name.includes('position_ids'))).toBe(false);
    expect(model.scheduler['_class_name']).toBe('PNDMScheduler');
    expect(model.tokenizer?.mergesFile).toBe(join(folder, 'tokenizer/merges.txt'));
    expectTensor(model.unet.weights, 'conv_in.weight', [8, 4, 3, 3]);
  });

  it('reads shards, and weights behind links as download caches lay them', () => {
    const hash = modelHash(openModel(folder));
    const blob = join(scratch, 'blob');
    const file = join(folder, 'vae/diffusion_pytorch_model.safetensors');
    renameSync(file, blob);
    symlinkSync(blob, file);
    shard();
    const model = openModel(folder);
    expect(modelHash(model)).toBe(hash);
    expect(model.unet.weights.get('conv_in.weight')?.file).toMatch(/part-\d\.safetensors$/);
  });

  it.each(['fp16.safetensors', 'safetensors'])('finds weights ending in .%s', (ending) => {
    renameSync(unetFile(), join(folder, `unet/diffusion_pytorch_model.${ending}`));
    expect(openModel(folder).unet.weights.has('conv_in.weight')).toBe(true);
  });

  it.each([
    ['torch.compile', (name: string) => `_orig_mod.${name}`],
    [
      'torch.compile of a block',
      (name: string) => name.replace('down_blocks.0.', 'down_blocks.0._orig_mod.'),
    ],
    ['DistributedDataParallel', (name: string) => `module.${name}`],
  ])('reads weights under the names that %s gives', (_, wrapped) => {
    const hash = modelHash(openModel(folder));
    const entries = [...readSafetensors(unetFile()).tensors].map(([name, entry]) => ({
      name: wrapped(name),
      tensor: readTensor(entry),
    }));
    writeSafetensors(unetFile(), entries);
    expect(modelHash(openModel(folder))).toBe(hash);
  });

  it('needs no model_index.json', () => {
    rmSync(join(folder, 'model_index.json'));
    expect(openModel(folder).unet.weights.parameterCount).toBeGreaterThan(200_000);
  });

  it('tells models apart by their hash, wherever they lie', () => {
    const model = openModel(folder);
    const bias = model.unet.weights.get('conv_in.bias') as FileTensor;
    writeDiffusers(join(scratch, 'same'), model);
    writeDiffusers(join(scratch, 'other'), model, { unet: new Map([['conv_in.bias', f32(bias.shape)]]) });
    expect(modelHash(openModel(join(scratch, 'same')))).toBe(modelHash(model));
    expect(modelHash(openModel(join(scratch, 'other')))).not.toBe(modelHash(model));
  });

  it('writes config files to the letter: transformers tells 1.0 from 1', () => {
    writeDiffusers(join(scratch, 'copy'), openModel(folder), {}, { dtype: 'f16' });
    for (const part of ['unet', 'vae', 'text_encoder'])
      expect(readFileSync(join(scratch, 'copy', part, 'config.json'), 'utf8')).toBe(
        readFileSync(join(folder, part, 'config.json'), 'utf8'),
      );
    expect(openModel(join(scratch, 'copy')).unet.weights.get('conv_in.weight')?.dtype).toBe('f16');
  });
});

describe('openModel refuses', () => {
  const refusals: [what: string, damage: () => void, sentence: RegExp][] = [
    [
      'a shard outside the folder',
      () => shard('../part-1.safetensors'),
      /"\.\.\/part-1\.safetensors" is not a file beside it/,
    ],
    ['an absolute shard', () => shard('/etc/passwd'), /"\/etc\/passwd" is not a file beside it/],
    ['a Windows way out of the folder', () => shard('..\\part-1.safetensors'), /is not a file beside it/],
    ['the folder itself as a shard', () => shard('..'), /is not a file beside it/],
    ['a missing shard', () => shard('part-3.safetensors'), /part-3\.safetensors is not there/],
    [
      'a shard without what the index promises',
      () => shard('part-2.safetensors', 'part-1.safetensors'),
      /lacks the tensor/,
    ],
    [
      'another pipeline',
      () => editJson('model_index.json', (j) => (j['_class_name'] = 'FluxPipeline')),
      /is a FluxPipeline/,
    ],
    ['a folder without VAE', () => rmSync(join(folder, 'vae'), { recursive: true }), /has no vae folder/],
    ['a folder without U-Net', () => rmSync(join(folder, 'unet'), { recursive: true }), /has no unet folder/],
    ['a part without weights', () => rmSync(unetFile()), /unet holds no weights/],
    [
      'half a download',
      () => renameSync(unetFile(), `${unetFile()}.crdownload`),
      /unet holds no weights.*crdownload is an unfinished download/,
    ],
    [
      'half a copy',
      () => renameSync(unetFile(), join(folder, 'unet/.diffusion_pytorch_model.safetensors.x7Yz')),
      /unet holds no weights.*x7Yz is an unfinished download/,
    ],
    [
      'weights that a browser numbered',
      () => renameSync(unetFile(), unetFile().replace('.safetensors', ' (1).safetensors')),
      /unet holds no weights.*model \(1\)\.safetensors has another name; rename it/,
    ],
    [
      'a part without config',
      () => rmSync(join(folder, 'unet/config.json')),
      /unet\/config\.json is not there/,
    ],
    [
      'a tokenizer without merges',
      () => rmSync(join(folder, 'tokenizer/merges.txt')),
      /has no vocab\.json and merges\.txt/,
    ],
    [
      'parts that do not fit',
      () => editJson('text_encoder/config.json', (j) => (j['hidden_size'] = 32)),
      /16 wide, the text encoder's are 32/,
    ],
    [
      'weights that are packed',
      () =>
        editJson('unet/config.json', (j) => (j['quantization_config'] = { quant_method: 'bitsandbytes' })),
      /unet is stored as numbers of a few bits, packed by bitsandbytes.*fp16/,
    ],
    [
      'latents that do not fit',
      () => editJson('vae/config.json', (j) => (j['latent_channels'] = 16)),
      /latents have 4 channels, the VAE's 16/,
    ],
  ];
  it.each(refusals)('%s', (_, damage, sentence) => {
    damage();
    expect(() => openModel(folder)).toThrow(sentence);
  });

  it('an empty folder, a text file, and nothing at all', () => {
    mkdirSync(join(scratch, 'empty'));
    writeFileSync(join(scratch, 'notes.txt'), 'hello');
    expect(() => openModel(join(scratch, 'empty'))).toThrow('is not a model');
    expect(() => openModel(join(scratch, 'notes.txt'))).toThrow('is not a model');
    expect(() => openModel(join(scratch, 'nothing'))).toThrow('is not there');
  });
});
