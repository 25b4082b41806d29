import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { finetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../../src-shared/domain/settingValues.ts';
import { openModel } from '../../../../src-main/engine/checkpoints/openModel.ts';
import { TorchGenerator } from '../../../../src-main/engine/tensor/random.ts';
import { f32, i64, type HostTensor } from '../../../../src-main/engine/tensor/tensor.ts';
import { finetuneObjective } from '../../../../src-main/engine/training/loss/finetuneObjective.ts';
import type { Feeds } from '../../../../src-main/engine/training/loss/gradients.ts';
import { Trainer } from '../../../../src-main/engine/training/run/trainer.ts';
import { whatToTrain } from '../../../../src-main/engine/training/loss/parameters.ts';

const [size, steps] = [8, 3];

/** Row `row` of every input. */
const only = (row: number, feeds: Feeds): Feeds =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, shape, data }]): [string, HostTensor] => {
      const length = data.length / 2;
      const part = data.slice(row * length, (row + 1) * length);
      return [name, { dtype, shape: [1, ...shape.slice(1)], data: part }];
    }),
  );

// At 8×8 the innermost attention has one token: its queries learn nothing, and Adam must not be given rounding in place of that.
it(
  'a LoRA learns the same from a batch and from its halves, as two workers take them',
  { timeout: 600_000 },
  async () => {
    const model = openModel(resolve('test/golden/fixtures/models/tiny-sd1'));
    const settings = completeSettings(
      finetuneSettings,
      { photos: 'none', classNoun: 'dog' },
      { model: model.path, size: 8 * size },
    );
    const trained = whatToTrain(model, settings);
    const latents = [4, size, size] as const;
    const trainerFor = (rows: number): Promise<Trainer> =>
      Trainer.create({
        ...finetuneObjective(model, trained, { rows, latents }),
        ...{ initial: trained.initial, optimizer: settings },
      });
    const [whole, halves] = [await trainerFor(2), await trainerFor(1)];
    const generator = new TorchGenerator(5);
    const tokens = model.textEncoder.config.max_position_embeddings;
    const options = { learningRate: 1e-3, maxGradientNorm: 1 };
    for (let step = 0; step < steps; step++) {
      const normal = (): HostTensor<'f32'> => f32([2, ...latents], generator.randn([2, ...latents]));
      const feeds: Feeds = {
        ...{ latents: normal(), noise: normal() },
        timesteps: i64([2], generator.randint(0, 1000, [2])),
        input_ids: i64([2, tokens], generator.randint(0, 300, [2 * tokens])),
        ...{ sample_latents: f32([2, 1, 1, 1], [0.8, 0.6]), sample_noise: f32([2, 1, 1, 1], [0.6, 0.8]) },
        ...{ target_latents: f32([2, 1, 1, 1]), target_noise: f32([2, 1, 1, 1], [1, 1]) },
      };
      await whole.step([feeds], options);
      await halves.step([only(0, feeds), only(1, feeds)], options);
    }
    const most = whole.values.reduce(
      (largest, value, i) => Math.max(largest, Math.abs(value - (halves.values[i] as number))),
      0,
    );
    expect(most).toBeLessThan(1e-5);
    await whole.dispose();
    await halves.dispose();
  },
);
