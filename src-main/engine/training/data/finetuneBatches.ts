import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { generatorFor } from '../../tensor/seeded.ts';
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
    batch: (index) => withNoiseOffset(drawBatch(dataset, index), settings, index),
    measured: measuredBatches(dataset),
  };
}

/**
 * noise[b,c,h,w] + offset · n[b,c,1,1] with n ~ N(0, 1), drawn apart, so that all else of the batch is the same with any offset.
 * Source: diffusers, `examples/text_to_image/train_text_to_image.py`, `--noise_offset`.
 */
export function withNoiseOffset(
  batch: DiffusionBatch,
  { noiseOffset, seed }: Pick<FinetuneSettings, 'noiseOffset' | 'seed'>,
  index: number,
): DiffusionBatch {
  if (noiseOffset === 0) return batch;
  const { shape, data } = batch.noise;
  const [rows = 0, channels = 0] = shape;
  const shifts = generatorFor(seed, 'noise offset', index).randn([rows, channels]);
  const pixels = data.length / shifts.length;
  const shifted = data.map((value, i) => value + noiseOffset * (shifts[Math.floor(i / pixels)] as number));
  return { ...batch, noise: { dtype: 'f32', shape, data: shifted } };
}
