import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { findBadValues } from '../../checkpoints/weights.ts';
import { makeFolder } from '../../checkpoints/files.ts';
import { networksOf, weightsOf, type Model } from '../../checkpoints/model.ts';
import { noiseSchedule } from '../../schedulers/noiseSchedule.ts';
import type { HostTensor } from '../../tensor/tensor.ts';
import type { Dataset } from '../data/dataset.ts';
import { oneOfEachShape, finetuneBatch, type LatentShape } from '../data/finetuneBatches.ts';
import { diffusionFeeds } from '../loss/diffusionLoss.ts';
import { finetuneObjective } from '../loss/finetuneObjective.ts';
import type { LossOptions } from '../loss/gradients.ts';
import type { Trained } from '../loss/parameters.ts';
import { ShapedGradients } from '../loss/shapedGradients.ts';
import { ratesOf } from './finetune.ts';
import { trainingLoop } from './loop.ts';
import { RunFolder } from './runFolder.ts';
import { Trainer } from './trainer.ts';

/** What a short run is made of; `turns` are each subject's datasets. */
export interface ShortRun {
  readonly model: Model;
  readonly trained: Trained;
  /** The run's own, with the length of the short one. */
  readonly settings: FinetuneSettings;
  readonly turns: readonly (readonly Dataset[])[];
}

/**
 * The same batches with a photo that teaches nothing: its errors count 0. Photos, noise and timesteps of every step stay as they are, so runs
 * with and without it differ in nothing else.
 */
export function withoutPhoto(
  turns: readonly (readonly Dataset[])[],
  file: string | undefined,
): readonly (readonly Dataset[])[] {
  const taughtBy = (dataset: Dataset): Dataset => ({
    ...dataset,
    // Every run has the same network, with loss weights.
    masked: true,
    subject: dataset.subject.map((picture) =>
      file !== undefined && picture.file === file
        ? { ...picture, lossWeights: new Float32Array(dataset.latents[1] * dataset.latents[2]) }
        : picture,
    ),
  });
  return turns.map((shapes) => shapes.map(taughtBy));
}

/**
 * Trains from the base model without one photo, or with all. Returns what was learnt, by parameter. Goes on where an earlier call was stopped, as
 * long as `folder` is there, and removes it at the end. Errors: those of `trainingLoop` and `Trainer.create`.
 */
export async function learnWithout(
  { model, trained, settings, turns }: ShortRun,
  leftOut: string | undefined,
  folder: string,
  context: JobContext,
): Promise<Readonly<Record<string, HostTensor<'f32'>>>> {
  const taught = withoutPhoto(turns, leftOut);
  const [first, ...others] = oneOfEachShape(taught.flat());
  const schedule = noiseSchedule(model.scheduler, settings.model);
  const lossOf = (latents: LatentShape): LossOptions =>
    finetuneObjective(model, trained, {
      ...{ rows: settings.batch * (first.prior ? 2 : 1), latents, masked: true },
      priorWeight: first.prior && (settings.prior?.weight ?? 1),
      minSnr: settings.minSnrGamma !== null,
      ...{ precision: settings.precision, frugal: settings.recompute, provider: settings.provider },
    });
  const rateOf = ratesOf(settings);
  const trainer = await Trainer.create({
    ...{ ...lossOf(first.latents), initial: trained.initial, optimizer: settings, rateOf },
    source: others.length > 0 ? await ShapedGradients.create(first.latents, lossOf) : undefined,
  });
  makeFolder(join(folder, 'checkpoints'));
  try {
    await trainingLoop(
      {
        ...{ run: new RunFolder(folder), trainer },
        settings: {
          ...settings,
          ...{ checkpointEvery: settings.steps, sampleEvery: null },
          ...(rateOf && { learningRate: 1 }),
        },
        batch: (index) =>
          diffusionFeeds(
            finetuneBatch(model, taught, settings, index),
            schedule,
            settings.minSnrGamma,
            trained.words,
          ),
        write: () => undefined,
        draw: () => Promise.reject(new Error('a short run draws no samples')),
        blame: () => networksOf(model).forEach((part) => findBadValues(weightsOf(model, part))),
      },
      context,
    );
    await trainer.sync();
    const learnt = Object.fromEntries(
      trained.names.map((name) => {
        const { dtype, shape, data } = trainer.value(name);
        return [name, { dtype, shape, data: data.slice() }] as const;
      }),
    );
    rmSync(folder, { recursive: true, force: true });
    return learnt;
  } finally {
    await trainer.dispose();
  }
}
