import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Model } from '../../../src-main/engine/checkpoints/model.ts';
import { packageFiles } from '../../../src-main/engine/coreml/package.ts';
import { exportCoreml } from '../../../src-main/features/export/coreml/exportCoreml.ts';
import { proveCoreml } from '../../../src-main/features/export/coreml/proveCoreml.ts';
import { exportRun, type ExportResult } from '../../../src-main/features/export/export.ts';
import { openRun, type OpenedRun } from '../../../src-main/features/export/openRun.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { likeness } from '../../pure/cli/likeness.ts';
import { brickRun } from './brickRun.ts';
import { receiptSchema } from '../../../src-shared/domain/receipt.ts';

const fixtures = path.resolve('test/golden/fixtures/models');
const scratch = mkdtempSync(path.join(tmpdir(), 'likeness coreml '));
const [run, out] = ['run', 'dög'].map((name) => path.join(scratch, name)) as [string, string];
const signal = new AbortController().signal;
/** Four sessions are made for each model. */
vi.setConfig({ testTimeout: 300_000 });
const context = { report: () => undefined, signal };
let result: ExportResult;

beforeAll(async () => {
  await brickRun(scratch, { steps: 2, checkpointEvery: 2, learningRate: 0.02 });
  result = await exportRun({ run, format: 'coreml', out, dtype: 'f32', transformers: 5 }, context);
}, 300_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const json = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

it('writes the packages and the tokenizer that the library looks for', () => {
  for (const part of ['TextEncoder', 'Unet', 'VAEDecoder', 'VAEEncoder']) {
    const folder = path.join(out, `${part}.mlpackage`);
    for (const file of Object.values(packageFiles))
      expect(statSync(path.join(folder, file)).size).toBeGreaterThan(64);
    const manifest = json(path.join(folder, 'Manifest.json')) as {
      itemInfoEntries: Record<string, { path: string; name: string }>;
      rootModelIdentifier: string;
    };
    expect(manifest.itemInfoEntries[manifest.rootModelIdentifier]?.name).toBe('model.mlmodel');
    for (const { path: place } of Object.values(manifest.itemInfoEntries))
      expect(existsSync(path.join(folder, 'Data', place))).toBe(true);
  }
  const vocabulary = json(path.join(out, 'vocab.json')) as Record<string, number>;
  expect(vocabulary['<|startoftext|>']).toBeTypeOf('number');
  expect(vocabulary['<|endoftext|>']).toBeTypeOf('number');
  // Apple's reader refuses a line of other than two words.
  const lines = readFileSync(path.join(out, 'merges.txt'), 'utf8').split('\n').slice(0, -1);
  for (const line of lines.filter((one) => !one.startsWith('#'))) expect(line.split(' ')).toHaveLength(2);
});

it('proves itself, and says what a Mac has still to do', () => {
  expect(result.maxError).toBeLessThan(1e-3);
  expect(result.next).toContain('xcrun coremlcompiler compile "$p" .');
  const receipt = receiptSchema.parse(json(`${out}.receipt.json`));
  expect(receipt).toMatchObject({ format: 'coreml', next: result.next });
  const [library] = receipt.looked_for;
  expect(library?.of).toBeGreaterThanOrEqual(9);
  expect(library?.found).toBe(library?.of);
});

it('has what the run learnt in its weights: another model, or a damaged package, is told apart', async () => {
  const opened = openRun(run, undefined);
  const untaught: OpenedRun = { ...opened, networks: {} };
  expect((await proveCoreml(untaught, out, signal)).maxError).toBeGreaterThan(2e-3);
  const damaged = path.join(scratch, 'damaged');
  cpSync(out, damaged, { recursive: true });
  const file = openSync(path.join(damaged, 'VAEDecoder.mlpackage', packageFiles.weights), 'r+');
  // The first tensor's elements.
  writeSync(file, Buffer.alloc(64), 0, 64, 128);
  closeSync(file);
  expect((await proveCoreml(opened, damaged, signal)).maxError).toBeGreaterThan(2e-3);
});

const opened = (model: Model, size: number): OpenedRun => ({
  ...{
    model,
    size,
    prompt: 'a photo of sks dog',
    title: 'the model',
    step: 0,
    few: false,
    adapters: [],
    changes: {},
    networks: {},
  },
});

it.each([
  ['tiny-sd1', 'f32'],
  ['tiny-sd2', 'f32'],
  ['tiny-sdxl', 'f16'],
  ['tiny-koala', 'f32'],
] as const)('computes what %s does, with weights in %s', async (name, dtype) => {
  const place = path.join(scratch, name);
  mkdirSync(place);
  const base = opened(openModel(path.join(fixtures, name)), 64);
  await exportCoreml(base, place, dtype);
  expect((await proveCoreml(base, place, signal)).maxError).toBeLessThan(1e-3);
});

it('makes up for another noise schedule, for velocity and for a VAE of another scale', async () => {
  const tiny = openModel(path.join(fixtures, 'tiny-bk'));
  const scheduler = {
    ...{ _class_name: 'DDIMScheduler', beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear' },
    ...{ prediction_type: 'v_prediction', rescale_betas_zero_snr: true },
  };
  const vae = { ...tiny.vae, config: { ...tiny.vae.config, scaling_factor: 0.6 } };
  const place = path.join(scratch, 'velocity');
  mkdirSync(place);
  const base = opened({ ...tiny, scheduler, vae }, 32);
  await exportCoreml(base, place, 'f32');
  expect((await proveCoreml(base, place, signal)).maxError).toBeLessThan(1e-3);
  const asNoise = opened({ ...tiny, vae }, 32);
  expect((await proveCoreml(asNoise, place, signal)).maxError).toBeGreaterThan(1e-2);
});

it('ends on the command line with what to type on a Mac; a mix of LoRA files goes into SDXL too', async () => {
  const [model, lora] = ['models/tiny-koala', 'training/koala-lora/start'].map((name) =>
    path.resolve(fixtures, '..', name),
  );
  const place = path.join(scratch, 'mixed here');
  const words = ['export', '--model', `${model}`, '--lora', `${lora}`, '--format', 'coreml', '--out', place];
  const { status, stdout, stderr } = await likeness(words);
  expect([status, stderr]).toEqual([0, expect.any(String)]);
  expect(stdout.trimEnd().split('\n').at(-1)).toContain('xcrun coremlcompiler compile "$p" .; done');
  expect(readdirSync(place).sort()).toEqual([
    ...['TextEncoder.mlpackage', 'TextEncoder2.mlpackage', 'Unet.mlpackage', 'VAEDecoder.mlpackage'],
    ...['VAEEncoder.mlpackage', 'merges.txt', 'vocab.json'],
  ]);
});

it('takes a model alone too', async () => {
  const place = path.join(scratch, 'alone');
  const words = ['export', '--model', path.join(fixtures, 'tiny-sd1'), '--format', 'coreml', '--out', place];
  expect((await likeness(words)).status).toBe(0);
  expect(readdirSync(place)).toContain('Unet.mlpackage');
});

it('refuses by name what the library can not do', async () => {
  const tiny = openModel(path.join(fixtures, 'tiny-bk'));
  const unet = (config: Partial<Model['unet']['config']>) => ({
    ...tiny.unet,
    config: { ...tiny.unet.config, ...config },
  });
  const tries: [Partial<Model>, string][] = [
    [{ unet: unet({ in_channels: 9 }) }, 'is made for inpainting'],
    [{ unet: unet({ time_cond_proj_dim: 16 }) }, 'draws in few steps with the sampler lcm'],
    [
      { scheduler: { ...tiny.scheduler, _class_name: 'LCMScheduler' } },
      'draws in few steps with the sampler lcm',
    ],
  ];
  for (const [changes, why] of tries)
    await expect(exportCoreml(opened({ ...tiny, ...changes }, 32), scratch)).rejects.toThrow(
      `${tiny.path} ${why}, which Apple's Core ML Stable Diffusion library can't do; export it as diffusers or onnx.`,
    );
});
