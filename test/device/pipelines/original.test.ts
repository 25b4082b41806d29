import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openModelFolder } from '../../../src-main/engine/checkpoints/modelFolder.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32, readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { writeSafetensors } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { Tokenizer } from '../../../src-main/engine/models/tokenizer.ts';
import type { Original } from '../../../src-main/engine/pipelines/original.ts';
import type { Picture } from '../../../src-main/engine/pictures/pixels.ts';
import { resize } from '../../../src-main/engine/pictures/resample.ts';
import { TextToImage, type SamplingOptions } from '../../../src-main/engine/pipelines/textToImage.ts';
import { schedulerNames } from '../../../src-main/engine/schedulers/config.ts';
import { refuseUndistillable } from '../../../src-main/engine/training/data/trainable.ts';
import type { HostTensor, FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

/** From diffusers: `test/golden/reference/make_image_goldens.py`. */
const fixtures = `${import.meta.dirname}/../../golden/fixtures`;
const { tensors, metadata } = readSafetensors(`${fixtures}/pipelines/images.safetensors`);
const { prompt = '', negative = '', seed = '' } = metadata;

const golden = (name: string): FileTensor => {
  const entry = tensors.get(name);
  if (!entry) throw new Error(`no golden ${name}`);
  return entry;
};

function pictureOf(name: string): Picture {
  const { shape, data } = readTensor(golden(name));
  const [height = 0, width = 0, channels = 1] = shape;
  const bytes = data as Uint8Array;
  const rgb =
    channels === 3
      ? bytes
      : Uint8Array.from({ length: 3 * bytes.length }, (_, i) => bytes[Math.floor(i / 3)] as number);
  return resize({ width, height, data: rgb }, 64, 64, 'lanczos');
}

const picture = pictureOf('image');
const mask = pictureOf('mask');
const options: SamplingOptions = { steps: 12, guidance: 7.5, width: 64, height: 64 };

async function latentsOf(folder: string, changed: Partial<SamplingOptions>): Promise<HostTensor<'f32'>> {
  const tokenizer = await Tokenizer.load(`${fixtures}/models/tiny-sd1/tokenizer`);
  const pipeline = new TextToImage(openModelFolder(folder), tokenizer);
  const made = pipeline.generate([{ prompt, negative, seed: Number(seed) }], { ...options, ...changed });
  for await (const { latents } of made) {
    await pipeline.dispose();
    return latents;
  }
  throw new Error('no picture');
}

/** The largest difference as a share of the largest reference value. */
function relativeError(actual: HostTensor<'f32'>, expected: HostTensor<'f32'>): number {
  expect(actual.shape).toEqual(expected.shape);
  const differences = actual.data.map((value, i) => Math.abs(value - (expected.data[i] as number)));
  return Math.max(...differences) / Math.max(...expected.data.map(Math.abs));
}

const small = `${fixtures}/models/tiny-sd1`;

describe.each(schedulerNames)('%s', (scheduler) => {
  it.each([
    ...([0.6, 0.95, 1] as const).map((strength) => [
      `image-${strength.toFixed(2).replace(/0$/, '')}`,
      { picture, strength },
    ]),
    ...([0.7, 1] as const).map((strength) => [`mask-${strength.toFixed(1)}`, { picture, mask, strength }]),
  ] as [string, Original][])("%s: diffusers' latents from the seed", async (name, original) => {
    const latents = await latentsOf(small, { scheduler, original });
    expect(relativeError(latents, readF32(golden(`${name}.${scheduler}`)))).toBeLessThan(2e-3);
  });
});

describe('a U-Net that sees the mask', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nine-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  cpSync(small, folder, { recursive: true });
  const config = join(folder, 'unet', 'config.json');
  writeFileSync(config, readFileSync(config, 'utf8').replace('"in_channels": 4', '"in_channels": 9'));
  const weights = join(folder, 'unet', 'diffusion_pytorch_model.safetensors');
  const stored = [...readSafetensors(`${small}/unet/diffusion_pytorch_model.safetensors`).tensors];
  rmSync(weights);
  writeSafetensors(
    weights,
    stored.map(([name, entry]) => ({
      name,
      tensor: readF32(name.startsWith('conv_in.') ? golden(name) : entry),
    })),
  );

  it('is not distilled, and says so', () => {
    expect(() => refuseUndistillable(openModelFolder(folder))).toThrow('inpainting');
    expect(() => refuseUndistillable(openModelFolder(small))).not.toThrow();
  });

  it.each([
    ['nine-0.7', { picture, mask, strength: 0.7 }],
    ['nine-1.0', { picture, mask, strength: 1 }],
    ['nine-blank', undefined],
  ] as [string, Original | undefined][])("%s: diffusers' latents from the seed", async (name, original) => {
    for (const scheduler of ['ddim', 'euler-a'] as const) {
      const latents = await latentsOf(folder, { scheduler, original });
      // Group norms of a picture of one colour blow up its rounding.
      const limit = original ? 2e-3 : 2e-2;
      expect(relativeError(latents, readF32(golden(`${name}.${scheduler}`)))).toBeLessThan(limit);
    }
  });
});
