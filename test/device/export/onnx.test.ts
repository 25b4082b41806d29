import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runOnnxFile } from '../../../src-main/engine/runtime/onnxFile.ts';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';
import type { HostTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { exportRun } from '../../../src-main/features/export/export.ts';
import { brickRun } from './brickRun.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness onnx '));
const out = path.join(scratch, 'dog');
const context = { report: () => undefined, signal: new AbortController().signal };

beforeAll(async () => {
  const run = await brickRun(scratch);
  await exportRun({ run, format: 'onnx', out, transformers: 5 }, context);
}, 300_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const json = (...parts: string[]): unknown => JSON.parse(readFileSync(path.join(out, ...parts), 'utf8'));

it('is a whole pipeline: every part that its index names is there', () => {
  const index = json('model_index.json') as Record<string, unknown>;
  const parts = Object.keys(index).filter((key) => !key.startsWith('_') && Array.isArray(index[key]));
  const there = parts.filter((part) => (index[part] as unknown[])[0] !== null);
  expect(there.sort()).toEqual([
    'scheduler',
    'text_encoder',
    'tokenizer',
    'unet',
    'vae_decoder',
    'vae_encoder',
  ]);
  for (const part of there) expect(existsSync(path.join(out, part))).toBe(true);
  expect(json('vae_decoder', 'config.json')).toMatchObject({ _class_name: 'AutoencoderKL' });
  expect(existsSync(path.join(out, 'tokenizer', 'vocab.json'))).toBe(true);
});

it('takes any number of pictures at once, each with its own result', async () => {
  const generator = new TorchGenerator(1);
  const noise = (...shape: number[]): HostTensor<'f32'> => ({
    dtype: 'f32',
    shape,
    data: generator.randn(shape),
  });
  const [three, context] = [noise(3, 4, 4, 4), noise(3, 77, 16)];
  const unet = path.join(out, 'unet', 'model.onnx');
  const timesteps: HostTensor<'f32'> = { dtype: 'f32', shape: [3], data: Float32Array.of(1, 500, 999) };
  const all = await runOnnxFile(unet, { sample: three, timestep: timesteps, encoder_hidden_states: context });
  const row = ({ shape, data }: HostTensor, i: number): HostTensor<'f32'> => {
    const size = data.length / 3;
    const part = (data as Float32Array).slice(i * size, (i + 1) * size);
    return { dtype: 'f32', shape: [1, ...shape.slice(1)], data: part };
  };
  for (const i of [0, 1, 2]) {
    const feeds = {
      sample: row(three, i),
      timestep: row(timesteps, i),
      encoder_hidden_states: row(context, i),
    };
    const one = (await runOnnxFile(unet, feeds))['out_sample']?.data as Float32Array;
    const same = row(all['out_sample'] as HostTensor, i).data;
    one.forEach((value, at) => expect(value).toBeCloseTo(same[at] as number, 4));
  }
});
