import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { drawBatch, isMasked, measuredBatches } from './dataset.ts';
import type { DiffusionBatch } from './batch.ts';
import { openReplay } from './replay.ts';
import { subjectDataset } from './subject.ts';

/** Where a run's batches come from: recorded ones, or photos and class pictures. */
export interface BatchSource {
  /** Rows of a batch. */
  readonly rows: number;
  readonly latents: readonly [number, number, number];
  /** Whether the second half of each batch is the class's. */
  readonly prior: boolean;
  /** Whether the subject's rows have loss weights. */
  readonly masked: boolean;
  readonly batch: (index: number) => DiffusionBatch;
  /** Those that a run is measured by; none where batches are recorded. */
  readonly measured: readonly DiffusionBatch[];
}

export async function batchSource(
  model: Model,
  settings: FinetuneSettings,
  timesteps: number,
  cache: string,
  context: JobContext,
): Promise<BatchSource> {
  if (settings.replay !== undefined) {
    const channels = model.unet.config.in_channels;
    const { max_position_embeddings: tokens, vocab_size: words } = model.textEncoder.config;
    const replay = openReplay(settings.replay, { channels, tokens, timesteps, words });
    const wanted = settings.steps * settings.accumulate;
    if (replay.steps < wanted)
      throw problem('replay.tooShort', { file: settings.replay, rows: replay.steps, wanted });
    const { batch: rows, latents, prior, row: batch } = replay;
    return { rows, latents, prior, masked: false, batch, measured: [] };
  }
  const dataset = await subjectDataset(model, settings, timesteps, cache, context);
  return {
    rows: settings.batch * (dataset.prior ? 2 : 1),
    latents: dataset.latents,
    prior: dataset.prior !== undefined,
    masked: isMasked(dataset),
    batch: (index) => drawBatch(dataset, index),
    measured: measuredBatches(dataset),
  };
}
