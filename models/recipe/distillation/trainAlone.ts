import type { DistillSettings } from '../../../src-shared/domain/distillSettings.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { modelHash, openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import {
  distillation,
  sharedSchedule,
  distillFeeds,
} from '../../../src-main/engine/training/loss/distillLoss.ts';
import { distillBatches } from '../../../src-main/engine/training/data/distillBatches.ts';
import { trainingLoop, type RunResult } from '../../../src-main/engine/training/run/loop.ts';
import { RunFolder } from '../../../src-main/engine/training/run/runFolder.ts';
import { Trainer } from '../../../src-main/engine/training/run/trainer.ts';
import { wholeNetworks } from '../../../src-main/engine/training/loss/parameters.ts';
import { writeTrained } from '../../../src-main/engine/training/run/checkpoint.ts';

/** Trains all of a U-Net on the diffusion loss alone, on the batches that a distillation with these settings sees. Resumes to the same bits. */
export async function trainAlone(
  settings: DistillSettings,
  { out, cache }: { readonly out: string; readonly cache: string },
  context: JobContext,
): Promise<RunResult> {
  const model = openModel(settings.student);
  const run = new RunFolder(out);
  const about = { kind: 'distill', version: 'study', modelHash: modelHash(model), settings } as const;
  if (RunFolder.exists(out)) run.tidy();
  else run.create({ ...about, createdAt: new Date().toISOString() });
  const schedule = sharedSchedule(model, model);
  const source = await distillBatches(
    model,
    settings,
    schedule.alphaBars.length,
    { cache, onSkipped: (lines) => run.listSkipped(lines) },
    context,
  );
  const { rows: batch, latents } = source;
  const { metrics, trained: names } = distillation(model, model, { ...settings, batch, latents });
  if (!metrics?.['sd']) throw new Error('a distillation has no loss on the noise');
  const trained = wholeNetworks(model, { trainTextEncoder: false });
  const trainer = await Trainer.create({
    ...{ loss: metrics['sd'], trained: names, weights: () => undefined, provider: settings.provider },
    ...{ initial: trained.initial, optimizer: settings },
  });
  try {
    return await trainingLoop(
      {
        ...{ run, trainer, settings },
        batch: (index) => distillFeeds(source.batch(index), schedule),
        write: (folder) => writeTrained(folder, model, trained, (name) => trainer.value(name)),
        draw: () => Promise.reject(new Error('pictures are drawn by measure.ts')),
        blame: () => undefined,
      },
      context,
    );
  } finally {
    await trainer.dispose();
  }
}
