import { readFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { describe, expect, it } from 'vitest';
import { finetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import { openModelFolder } from '../../../src-main/engine/checkpoints/modelFolder.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { leaves } from '../../../src-main/engine/graph/graph.ts';
import { noiseSchedule } from '../../../src-main/engine/schedulers/noiseSchedule.ts';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';
import type { HostTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { diffusionFeeds, diffusionLoss } from '../../../src-main/engine/training/loss/diffusionLoss.ts';
import { finetuneObjective } from '../../../src-main/engine/training/loss/finetuneObjective.ts';
import {
  LocalGradients,
  type Feeds,
  type LossOptions,
  type RowLoss,
} from '../../../src-main/engine/training/loss/gradients.ts';
import { asPair } from '../../../src-main/engine/checkpoints/lora/weightChanges.ts';
import { finishedLora } from '../../../src-main/engine/training/loss/trainedLora.ts';
import { square } from '../../../src-main/engine/training/data/aspectBuckets.ts';
import { latentWeights } from '../../../src-main/engine/training/data/masks.ts';
import {
  cutMaskedPhoto,
  loadPhoto,
  mirrored,
  readMaskedPhoto,
} from '../../../src-main/engine/training/data/photoPixels.ts';
import { openReplay } from '../../../src-main/engine/training/data/replay.ts';
import { Trainer } from '../../../src-main/engine/training/run/trainer.ts';
import { whatToTrain } from '../../../src-main/engine/training/loss/parameters.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures');
const [factor, background] = [8, 0.1];

interface Expected {
  readonly file: string;
  readonly size: number;
  readonly seed: number | null;
  readonly weights: string;
}
const records = JSON.parse(readFileSync(join(fixtures, 'masks', 'expected.json'), 'utf8')) as Expected[];

describe("a mask is cut as its photo is, and weighs latents as Pillow's and torch's numbers say", () => {
  it.each(records)('$file to $size, crop seed $seed', async ({ file, size, seed, weights }) => {
    const photoFile = join(fixtures, 'photos', file);
    const maskFile = join(fixtures, 'masks', `${parse(file).name}.png`);
    const options = () => ({
      frame: square(size),
      ...(seed !== null && { generator: new TorchGenerator(seed) }),
    });
    const { photo, mask } = cutMaskedPhoto(await readMaskedPhoto(photoFile, maskFile), options());
    expect(photo).toEqual(await loadPhoto(photoFile, options()));

    const bytes = Buffer.from(weights, 'base64');
    const expected = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const found = latentWeights(mask, size, factor, background) ?? [];
    expect(found).toHaveLength(expected.length);
    found.forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 5));
    expect(Array.from(found).reduce((sum, value) => sum + value, 0) / found.length).toBeCloseTo(1, 5);

    const turned = latentWeights(mirrored(mask, size), size, factor, background) ?? [];
    const side = size / factor;
    turned.forEach((value, i) =>
      expect(value).toBeCloseTo(found[i - (i % side) + (side - 1 - (i % side))] as number, 5),
    );
  });
});

const folder = join(fixtures, 'training', 'lora-epsilon-prior');
const { tensors } = readSafetensors(join(fixtures, 'masks', 'steps.safetensors'));
const recorded = (name: string): HostTensor<'f32'> => {
  const entry = tensors.get(name);
  if (!entry) throw new Error(`no ${name} was recorded`);
  return readTensor(entry) as HostTensor<'f32'>;
};

/** The loss of the recorded batches, a LoRA on the small model, and the inputs of each batch with its weights. */
function masked() {
  const model = openModelFolder(join(fixtures, 'models', 'tiny-bk'));
  const settings = completeSettings(
    finetuneSettings,
    { initLora: join(folder, 'start'), classNoun: 'dog', learningRate: 1e-3 },
    { model: model.path, size: 64 },
  );
  const schedule = noiseSchedule(model.scheduler, model.path);
  const { max_position_embeddings: length, vocab_size: words } = model.textEncoder.config;
  const replay = openReplay(join(folder, 'replay.safetensors'), {
    ...{ channels: 4, tokens: length, timesteps: 1000, words },
  });
  const { data } = recorded('loss_weights');
  const feeds = (row: number): Feeds => {
    const lossWeights = {
      dtype: 'f32' as const,
      shape: [1, 1, 8, 8],
      data: data.slice(64 * row, 64 * row + 64),
    };
    return diffusionFeeds({ ...replay.row(row), lossWeights }, schedule);
  };
  const trained = whatToTrain(model, settings);
  const { batch: rows, latents } = replay;
  const loss = finetuneObjective(model, trained, {
    ...{ rows, latents, priorWeight: 1, masked: true, provider: 'cpu' },
  });
  return { model, settings, trained, loss, feeds, latents };
}

const many = { timeout: 120_000 };

it.each([
  ['whole', (loss: LossOptions) => ({ options: loss, rows: (batch: Feeds) => [batch] })],
  ['row by row', (loss: LossOptions) => (loss.byRow as () => RowLoss)()],
] as const)(
  "a masked batch's losses and what they teach are torch's and PEFT's (%s)",
  many,
  async (_, taken) => {
    const { settings, trained, loss, feeds } = masked();
    const { options, rows } = taken(loss);
    const trainer = await Trainer.create({ ...options, initial: trained.initial, optimizer: settings });
    const losses = recorded('losses').data;
    for (const [row, expected] of losses.entries()) {
      const step = await trainer.step(rows(feeds(row)), { learningRate: 1e-3, maxGradientNorm: 1 });
      expect(Math.abs(step.loss - expected)).toBeLessThan(1e-4);
    }
    let [gap, moved] = [0, 0];
    for (const { part, lora } of trained.loras)
      for (const [which, value] of [
        ['got', (name: string) => trainer.value(name)],
        ['from', trained.initial],
      ] as const)
        for (const { module, A, B } of finishedLora(part, lora, value).flatMap((one) => asPair(one) ?? []))
          for (const [key, { data }] of [
            ['lora_A', A],
            ['lora_B', B],
          ] as const) {
            const wanted = recorded(`${part}.${module}.${key}.weight`).data;
            const distance = wanted.reduce((sum, one, i) => sum + ((data[i] as number) - one) ** 2, 0);
            if (which === 'got') gap += distance;
            else moved += distance;
          }
    expect(Math.sqrt(gap / moved)).toBeLessThan(0.005);
    await trainer.dispose();
  },
);

it('the gradient of a masked batch is the slope of its loss', { timeout: 120_000 }, async () => {
  const { trained, loss, feeds } = masked();
  const source = await LocalGradients.create(loss);
  const values = source.layout.allocate();
  const generator = new TorchGenerator(2);
  // Where B is zero, A has no slope: not from the start of a run, but from beside it.
  for (const name of source.layout.names) {
    const { data } = source.layout.view(values, name);
    const noise = generator.randn([data.length]);
    trained.initial(name).data.forEach((value, i) => (data[i] = value + 0.02 * (noise[i] as number)));
  }
  const gradient = source.layout.allocate();
  await source.compute([feeds(0)], values, gradient);
  const direction = generator.randn([values.length]);
  const unused = source.layout.allocate();
  const along = async (step: number): Promise<number> => {
    const there = values.map((value, i) => value + step * (direction[i] as number));
    return (await source.compute([feeds(0)], there, unused))['loss'] ?? NaN;
  };
  const h = 2e-3;
  const slope = ((await along(h)) - (await along(-h))) / (2 * h);
  const expected = gradient.reduce((sum, value, i) => sum + value * (direction[i] as number), 0);
  expect(Math.abs(slope - expected)).toBeLessThan(0.01 * Math.abs(expected));
  await source.dispose();
});

it('without masks the loss has no further input', () => {
  const { model, latents } = masked();
  const inputs = (masked: boolean) => {
    const { loss } = diffusionLoss(model, {
      ...{ batch: 2, latents, priorWeight: 1, masked },
    });
    return [...leaves({ outputs: { loss } }, 'input').keys()].sort();
  };
  const usual = [
    ...['input_ids', 'latents', 'noise', 'sample_latents', 'sample_noise'],
    ...['target_latents', 'target_noise', 'timesteps'],
  ];
  expect(inputs(false)).toEqual(usual);
  expect(inputs(true)).toEqual([...usual, 'loss_weights'].sort());
});
