import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';
import { readLora } from '../../../src-main/engine/checkpoints/lora/readLora.ts';
import { openModelFolder } from '../../../src-main/engine/checkpoints/modelFolder.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { writeSafetensors } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { readF32, readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { withNoiseOffset } from '../../../src-main/engine/training/data/dataset.ts';
import { openReplay } from '../../../src-main/engine/training/data/replay.ts';
import { trainedFiles } from '../../../src-main/engine/training/run/checkpoint.ts';
import { finetune } from '../../../src-main/features/training/finetune.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures');
type Tensors = Map<string, Float32Array>;

const peftEndings: Readonly<Record<string, string>> = {
  ...{ A: 'lora_A.weight', B: 'lora_B.weight', magnitude: 'lora_magnitude_vector' },
};

function loraTensors(path: string): Tensors {
  return new Map(
    readLora(path).stored.flatMap(({ part, module, tensors }) =>
      Object.entries(tensors).map(([name, { data }]) => {
        return [`${part}.${module}.${peftEndings[name] ?? name}`, data] as const;
      }),
    ),
  );
}

function wholeTensors(checkpoint: string): Tensors {
  return new Map(
    (['unet', 'text_encoder'] as const).flatMap((part) =>
      [...readSafetensors(join(checkpoint, trainedFiles[part])).tensors].map(
        ([name, entry]) => [`${part}.${name}`, readF32(entry).data] as const,
      ),
    ),
  );
}

/** Norm of (ours − reference) over the norm of the reference's movement. */
function shareOfMovement(ours: Tensors, before: Tensors, after: Tensors): number {
  let [gap, moved] = [0, 0];
  for (const [name, wanted] of after) {
    const [got, from] = [ours.get(name), before.get(name)];
    if (!got || !from) throw new Error(`${name} was not trained`);
    wanted.forEach((value, i) => {
      gap += ((got[i] as number) - value) ** 2;
      moved += ((from[i] as number) - value) ** 2;
    });
  }
  return Math.sqrt(gap / moved);
}

/** What the other methods were recorded with: convolutions too. */
const kinTargets = (plain: boolean) =>
  plain
    ? {}
    : {
        lora: { targets: ['to_q', 'proj', 'conv1', 'conv_shortcut'] },
        textLora: { targets: ['q_proj', 'fc1'] },
      };

const optimizerType = z.enum(['adamw', 'adafactor', 'prodigy']);

/** Recorded batches with the noise offset of a run on photos, which draws it for each step anew; the file itself without one. */
function withOffset(file: string, noiseOffset: number): string {
  if (noiseOffset === 0) return file;
  const { tensors } = readSafetensors(file);
  const { steps, row } = openReplay(file, { channels: 4, tokens: 77, timesteps: 1000, words: 49_408 });
  const shifted = Array.from({ length: steps }, (_, k) =>
    withNoiseOffset(row(k), { noiseOffset, seed: 1234 }, k),
  ).flatMap(({ noise }) => [...noise.data]);
  const out = join(mkdtempSync(join(tmpdir(), 'likeness-offset-')), 'replay.safetensors');
  const shape = tensors.get('noise')?.shape ?? expect.fail();
  writeSafetensors(
    out,
    [...tensors].map(([name, tensor]) => ({
      name,
      tensor: name === 'noise' ? { dtype: 'f32' as const, shape, data: Float32Array.from(shifted) } : tensor,
    })),
  );
  return out;
}

const numberOr = (text: string | undefined): number | null => (text === undefined ? null : Number(text));

/** The fixture model, or a copy that is said to predict something else. */
function modelOf({ model = '', prediction, inpaint }: Readonly<Record<string, string>>): string {
  const own = join(fixtures, 'models', model);
  if (inpaint) return inpaintingModel(own);
  if (prediction === undefined) return own;
  const copy = join(mkdtempSync(join(tmpdir(), 'likeness-model-')), model);
  cpSync(own, copy, { recursive: true });
  const file = join(copy, 'scheduler', 'scheduler_config.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...config, prediction_type: prediction }));
  return copy;
}

/** A copy whose U-Net sees five more channels, with the reference's weights for them: 0.1 · sin of their number. */
function inpaintingModel(own: string): string {
  const copy = join(mkdtempSync(join(tmpdir(), 'likeness-model-')), 'inpainting');
  cpSync(own, copy, { recursive: true });
  const unet = join(copy, 'unet');
  const config = JSON.parse(readFileSync(join(unet, 'config.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(unet, 'config.json'), JSON.stringify({ ...config, in_channels: 9 }));
  const file = join(unet, 'diffusion_pytorch_model.safetensors');
  const tensors = [...readSafetensors(join(own, 'unet', 'diffusion_pytorch_model.safetensors')).tensors];
  writeSafetensors(
    file,
    tensors.map(([name, entry]) => {
      if (name !== 'conv_in.weight') return { name, tensor: entry };
      const [channels = 0, before = 0] = entry.shape;
      const old = readF32(entry).data;
      const data = Float32Array.from({ length: channels * 9 * 9 }, (_, i) => {
        const [channel, seen, at] = [Math.floor(i / 81), Math.floor((i % 81) / 9), i % 9];
        return seen < before
          ? (old[(channel * before + seen) * 9 + at] as number)
          : 0.1 * Math.sin((channel * 5 + seen - before) * 9 + at);
      });
      return { name, tensor: { dtype: 'f32' as const, shape: [channels, 9, 3, 3], data } };
    }),
  );
  return copy;
}

it.each([
  { name: 'lora-epsilon-prior', method: 'lora', limit: 0.005 },
  { name: 'lora-velocity', method: 'lora', limit: 0.005 },
  { name: 'lora-sample', method: 'lora', limit: 0.005 },
  { name: 'koala-lora', method: 'lora', limit: 0.005 },
  { name: 'lora-min-snr-prior', method: 'lora', limit: 0.005 },
  { name: 'lora-min-snr-velocity', method: 'lora', limit: 0.005 },
  { name: 'lora-ema', method: 'lora', limit: 0.005 },
  { name: 'lora-prodigy', method: 'lora', limit: 0.005 },
  { name: 'lora-text-rate', method: 'lora', limit: 0.005 },
  { name: 'lora-inpaint-prior', method: 'lora', limit: 0.005 },
  { name: 'dora', method: 'dora', limit: 0.005 },
  { name: 'loha', method: 'loha', limit: 0.005 },
  { name: 'lokr', method: 'lokr', limit: 0.005 },
  { name: 'locon', method: 'lora', limit: 0.005 },
  { name: 'locon-prodigy', method: 'lora', limit: 0.005 },
  { name: 'dora-adafactor', method: 'dora', limit: 0.005 },
  { name: 'loha-prodigy', method: 'loha', limit: 0.005 },
  { name: 'lokr-adafactor', method: 'lokr', limit: 0.005 },
  { name: 'dora-prodigy', method: 'dora', limit: 0.005 },
  { name: 'loha-adafactor', method: 'loha', limit: 0.005 },
  { name: 'lokr-prodigy', method: 'lokr', limit: 0.005 },
  { name: 'lora-noise-offset', method: 'lora', limit: 0.005 },
  { name: 'full-epsilon-prior', method: 'full', limit: 0.02 },
] as const)('$name: recorded batches end where torch and PEFT end', async ({ name, method, limit }) => {
  const folder = join(fixtures, 'training', name);
  const { tensors, metadata } = readSafetensors(join(folder, 'expected.safetensors'));
  const expected = new Map([...tensors].map(([key, entry]) => [key, readTensor(entry).data as Float32Array]));
  const losses = expected.get('losses') as Float32Array;
  expected.delete('losses');
  const model = modelOf(metadata);

  const events: JobEvent[] = [];
  const start = join(folder, 'start');
  const settings = {
    ...{
      model,
      method,
      steps: losses.length,
      learningRate: Number(metadata['lr']),
      provider: 'cpu' as const,
    },
    ...{ minSnrGamma: numberOr(metadata['snr_gamma']), ema: numberOr(metadata['ema']) },
    optimizer: optimizerType.parse(metadata['optimizer'] ?? 'adamw'),
    ...('d_coef' in metadata && { stepScale: Number(metadata['d_coef']) }),
    textLearningRate: numberOr(metadata['text_lr']),
    ...{
      replay: withOffset(join(folder, 'replay.safetensors'), Number(metadata['noise_offset'] ?? 0)),
      ...(method !== 'full' && { initLora: start, ...kinTargets(/^(lora|koala)/.test(name)) }),
    },
  };
  const out = mkdtempSync(join(tmpdir(), 'likeness-replay-'));
  const context = { report: (event: JobEvent) => events.push(event), signal: new AbortController().signal };
  const { checkpoint } = await finetune({ out, resume: false, settings }, context, 'test');

  const ours = events.flatMap((event) => (event.type === 'step' ? event.loss : []));
  expect(ours).toHaveLength(losses.length);
  ours.forEach((loss, k) => expect(Math.abs(loss - (losses[k] as number))).toBeLessThan(1e-4));

  const { unet, textEncoder } = openModelFolder(model);
  const base = new Map(
    Object.entries({ unet, text_encoder: textEncoder }).flatMap(([part, { weights }]) =>
      weights.names().flatMap((key) => {
        const entry = weights.get(key);
        return entry?.dtype === 'f32' ? [[`${part}.${key}`, readF32(entry).data] as const] : [];
      }),
    ),
  );
  const [got, before] =
    method !== 'full' ? [loraTensors(checkpoint), loraTensors(start)] : [wholeTensors(checkpoint), base];
  expect([...got.keys()].sort()).toEqual([...expected.keys()].sort());
  expect(shareOfMovement(got, before, expected)).toBeLessThan(limit);
});
