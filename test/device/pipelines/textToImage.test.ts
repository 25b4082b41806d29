import { describe, expect, it } from 'vitest';
import { openModelFolder } from '../../../src-main/engine/checkpoints/modelFolder.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32, readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { Tokenizer } from '../../../src-main/engine/models/tokenizer.ts';
import { unstack } from '../../../src-main/engine/pipelines/batches.ts';
import type { WeightLookup } from '../../../src-main/engine/pipelines/weights.ts';
import {
  TextToImage,
  type GeneratedPicture,
  type PictureRequest,
  type SamplingOptions,
} from '../../../src-main/engine/pipelines/textToImage.ts';
import type { SchedulerName } from '../../../src-main/engine/schedulers/config.ts';
import type { HostTensor } from '../../../src-main/engine/tensor/tensor.ts';

const fixtures = `${import.meta.dirname}/../../golden/fixtures`;
const options: SamplingOptions = { steps: 12, guidance: 7.5, width: 64, height: 64 };

async function open(name: string): Promise<TextToImage> {
  const folder = `${fixtures}/models/${name}`;
  return new TextToImage(openModelFolder(folder), await Tokenizer.load(`${folder}/tokenizer`));
}

async function all(made: AsyncIterable<GeneratedPicture>): Promise<GeneratedPicture[]> {
  const pictures: GeneratedPicture[] = [];
  for await (const picture of made) pictures.push(picture);
  return pictures;
}

const generate = async (
  pipeline: TextToImage,
  requests: PictureRequest[],
  changed: Partial<SamplingOptions> = {},
) => all(pipeline.generate(requests, { ...options, ...changed }));

/** The largest difference as a share of the largest reference value. */
function relativeError(actual: HostTensor<'f32'>, expected: HostTensor<'f32'>): number {
  expect(actual.shape).toEqual(expected.shape);
  const differences = actual.data.map((value, i) => Math.abs(value - (expected.data[i] as number)));
  return Math.max(...differences) / Math.max(...expected.data.map(Math.abs));
}

function decibels(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  const squares = a.reduce((sum, value, i) => sum + (value - (b[i] as number)) ** 2, 0);
  return squares === 0 ? Infinity : 10 * Math.log10(255 ** 2 / (squares / a.length));
}

describe.each(['tiny-sd1', 'tiny-sd2', 'tiny-bk'])('%s', (name) => {
  const { tensors, metadata } = readSafetensors(`${fixtures}/pipelines/${name}.safetensors`);
  const golden = (key: string): HostTensor<'f32'> => {
    const entry = tensors.get(key);
    if (!entry) throw new Error(`no golden ${key}`);
    return readF32(entry);
  };
  const { prompt = '', negative = '', seed = '' } = metadata;
  const samplers = [...tensors.keys()]
    .filter((key) => key.endsWith('.latents'))
    .map((key) => key.split('.')[0]);

  it.each(samplers)("%s: diffusers' latents from given noise, two pictures at once", async (sampler) => {
    const pipeline = await open(name);
    const requests = [0, 1].map((i) => ({ prompt, seed: i, latents: unstack(golden('start'), i) }));
    const made = await generate(pipeline, requests, { scheduler: sampler as SchedulerName, batch: 2 });
    const reference = golden(`${sampler}.latents`);
    for (const [i, { latents }] of made.entries())
      expect(relativeError(latents, unstack(reference, i))).toBeLessThan(5e-4);
    await pipeline.dispose();
  });

  it.each(['ddim', 'euler-a'] as const)("%s: diffusers' picture from the seed alone", async (scheduler) => {
    const pipeline = await open(name);
    const [made] = await generate(pipeline, [{ prompt, negative, seed: Number(seed) }], { scheduler });
    const reference = tensors.get(`${scheduler}.picture`);
    if (!made || !reference) throw new Error('no picture');
    expect(decibels(made.picture.data, readTensor(reference).data as Uint8Array)).toBeGreaterThan(55);
    await pipeline.dispose();
  });
});

describe('text to image', () => {
  const seeds = [7, 8, 9];
  const requests = seeds.map((seed) => ({ prompt: `a photo of sks dog ${seed}`, negative: 'blurry', seed }));

  it('gives each picture alone what it gives in a batch, noise of the sampler included', async () => {
    const pipeline = await open('tiny-bk');
    const settings = { steps: 3, scheduler: 'euler-a', width: 72, height: 64 } as const;
    const together = await generate(pipeline, requests, { ...settings, batch: 2 });
    const [alone] = await generate(pipeline, requests.slice(2), settings);
    expect(together.map(({ request }) => request.seed)).toEqual(seeds);
    expect(together[2]?.picture).toMatchObject({ width: 72, height: 64 });
    expect(
      relativeError((alone as GeneratedPicture).latents, (together[2] as GeneratedPicture).latents),
    ).toBeLessThan(1e-4);
    expect(together[0]?.picture.data).not.toEqual(together[1]?.picture.data);
    await pipeline.dispose();
  });

  it('leaves guidance out at 1', async () => {
    const pipeline = await open('tiny-bk');
    const at = async (guidance: number, negative: string) =>
      (await generate(pipeline, [{ prompt: 'a dog', negative, seed: 1 }], { steps: 2, guidance }))[0]?.picture
        .data;
    expect(await at(1, 'blurry')).toEqual(await at(1, 'a cat'));
    expect(await at(3, 'blurry')).not.toEqual(await at(3, 'a cat'));
    await pipeline.dispose();
  });

  it('counts steps over all batches, warns of cut prompts, and stops when told to', async () => {
    const pipeline = await open('tiny-bk');
    const stop = new AbortController();
    const progress: string[] = [];
    const warnings: string[] = [];
    const long = { prompt: 'a very long prompt '.repeat(30), seed: 1 };
    const made = generate(pipeline, [long, ...requests], {
      steps: 4,
      scheduler: 'ddim',
      batch: 2,
      signal: stop.signal,
      onStep: (done, total) => {
        progress.push(`${done}/${total}`);
        if (done === 6) stop.abort(new Error('enough'));
      },
      onWarning: (message) => warnings.push(message),
    });
    await expect(made).rejects.toThrow('enough');
    expect(progress).toEqual(['1/8', '2/8', '3/8', '4/8', '5/8', '6/8']);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/cut off: ".*prompt/);
    await pipeline.dispose();
  });

  it('says so when numbers run away', async () => {
    const pipeline = await open('tiny-bk');
    await expect(generate(pipeline, requests, { guidance: 1e38 })).rejects.toMatchObject({
      code: 'output.notFinite',
    });
    await expect(generate(pipeline, requests, { width: 60 })).rejects.toMatchObject({
      code: 'size.unusable',
    });
    await pipeline.dispose();
  });
});

describe('weights of another model', () => {
  const path = `${fixtures}/models/tiny-bk`;

  async function withConfig(part: 'unet' | 'vae', changed: object): Promise<unknown> {
    const model = openModelFolder(path);
    const other = { ...model, [part]: { ...model[part], config: { ...model[part].config, ...changed } } };
    const steps: number[] = [];
    const made = new TextToImage(other, await Tokenizer.load(`${path}/tokenizer`)).generate(
      [{ prompt: 'a dog', seed: 1 }],
      { ...options, onStep: (done) => steps.push(done) },
    );
    const error: unknown = await all(made).catch((thrown: unknown) => thrown);
    expect(steps).toEqual([]);
    return error;
  }

  it('are refused where the U-Net has more than its config', async () => {
    const types = { down_block_types: ['DownBlock2D', 'DownBlock2D', 'DownBlock2D'] };
    expect(await withConfig('unet', types)).toMatchObject({ code: 'tensor.surplus' });
  });

  it("are refused before anything is drawn where the VAE's decoder does not fit", async () => {
    expect(await withConfig('vae', { layers_per_block: 5 })).toMatchObject({ code: 'tensor.missing' });
  });
});

describe('guidance by the base model', () => {
  const request = [{ prompt: 'a photo of sks dog', negative: 'blurry', seed: 4 }];
  const settings = { steps: 3, scheduler: 'ddim' } as const;
  const folder = `${fixtures}/models/tiny-bk`;
  const twice: WeightLookup = (name) => {
    const [part, ...rest] = name.split('.');
    if (part !== 'unet' || rest.at(-1) !== 'bias') return undefined;
    const entry = openModelFolder(folder).unet.weights.get(rest.join('.'));
    if (!entry) return undefined;
    const tensor = readF32(entry);
    return { ...tensor, data: tensor.data.map((value) => 2 * value + 0.1) };
  };
  const latentsOf = async (own: WeightLookup | undefined, changed: Partial<SamplingOptions>) => {
    const model = openModelFolder(folder);
    const pipeline = new TextToImage(model, await Tokenizer.load(`${folder}/tokenizer`), own ? { own } : {});
    const [made] = await generate(pipeline, request, { ...settings, ...changed });
    await pipeline.dispose();
    return (made as GeneratedPicture).latents;
  };

  it('is the plain one of both weights where nothing was taught', async () => {
    const plain = await latentsOf(undefined, { guidance: 5 });
    const split = await latentsOf(undefined, { guidance: 3, baseGuidance: 2 });
    expect(relativeError(split, plain)).toBeLessThan(1e-4);
  });

  it('ends when it is told to', async () => {
    const whole = { guidance: 3, baseGuidance: 2 };
    const alone = await latentsOf(twice, { guidance: 1 });
    expect(await latentsOf(twice, { ...whole, guidanceStop: 0 })).toEqual(alone);
    const guided = await latentsOf(twice, whole);
    expect(await latentsOf(twice, { ...whole, guidanceStop: 1 })).toEqual(guided);
    // Two of three steps.
    const partly = await latentsOf(twice, { ...whole, guidanceStop: 0.66 });
    expect(relativeError(partly, alone)).toBeGreaterThan(5e-4);
    expect(relativeError(partly, guided)).toBeGreaterThan(5e-4);
  });

  it('takes negative and prompt of the base model, and only the prompt of the taught one', async () => {
    const base = await latentsOf(undefined, { guidance: 5 });
    const taught = await latentsOf(twice, { guidance: 5 });
    expect(relativeError(taught, base)).toBeGreaterThan(0.05);
    // With no weight on it the taught model is not there.
    const untouched = await latentsOf(twice, { guidance: 0, baseGuidance: 5 });
    expect(relativeError(untouched, base)).toBeLessThan(1e-4);
    const both = await latentsOf(twice, { guidance: 3, baseGuidance: 2 });
    expect(relativeError(both, base)).toBeGreaterThan(0.02);
    expect(relativeError(both, taught)).toBeGreaterThan(0.02);
  });
});
