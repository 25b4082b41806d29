import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { openTokenizer } from '../../pipelines/openTokenizer.ts';
import type { DiffusionBatch } from './batch.ts';
import { classPictures } from './classPictures.ts';
import {
  drawBatch,
  isMasked,
  measuredBatches,
  withNoiseOffset,
  type Dataset,
  type MaskedPicture,
  type SubjectPicture,
} from './dataset.ts';
import { LatentCache } from './latentCache.ts';
import { latentShape, type Posterior } from './posteriors.ts';
import { classPrompts, photoPrompt, tokenIds } from './prompts.ts';
import { openReplay } from './replay.ts';
import { maskedPictures } from './inpaintMasks.ts';
import { seesMasks } from '../../models/config.ts';
import { subjectPhotos } from './subjectPhotos.ts';

/** Where a run's batches come from: recorded ones, or photos and class pictures. */
export interface FinetuneBatches {
  /** Rows of a batch. */
  readonly rows: number;
  readonly latents: readonly [number, number, number];
  /** Whether the second half of each batch is the class's. */
  readonly prior: boolean;
  /** Whether the subject's rows have loss weights. */
  readonly masked: boolean;
  readonly batch: (index: number) => DiffusionBatch;
  /** Batches that measure a run; none where batches are recorded. */
  readonly measured: readonly DiffusionBatch[];
}

export async function finetuneBatches(
  model: Model,
  settings: FinetuneSettings,
  timesteps: number,
  cache: string,
  context: JobContext,
): Promise<FinetuneBatches> {
  if (settings.replay !== undefined) {
    const { out_channels: channels, in_channels: seen } = model.unet.config;
    const { max_position_embeddings: tokens, vocab_size: words } = model.textEncoder.config;
    const replay = openReplay(settings.replay, {
      channels,
      beside: seen - channels,
      tokens,
      timesteps,
      words,
    });
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
 * From photos to what batches are drawn from: the photos, cut to squares; class pictures, made by the base model where they are not
 * in the cache; the VAE's posteriors of both, kept there too; the tokens of their prompts. Errors: those of each step, `size.unusable`.
 */
export async function subjectDataset(
  model: Model,
  settings: FinetuneSettings,
  timesteps: number,
  cache: string,
  context: JobContext,
): Promise<Dataset> {
  const { size, provider, batch, seed } = settings;
  const latents = latentShape(model, size);
  const photos = await subjectPhotos(settings, size / latents[1], context);
  const ofClass = settings.prior && (await classPictures(model, settings, cache, context));
  const tokenizer = await openTokenizer(model);
  const encode = (prompt: string): number[] => {
    const { ids, truncated } = tokenIds(model, tokenizer, prompt);
    if (truncated !== undefined)
      context.report({ type: 'warning', message: `The prompt is too long; "${truncated}" was cut.` });
    return ids;
  };
  const kept = await LatentCache.open(model, { size, provider, cache });
  const posteriors = (pictures: readonly Float32Array[], label: string): Promise<Posterior[]> =>
    kept.posteriors(pictures, label, context);
  const read = await posteriors(
    photos.map(({ photo }) => photo),
    'reading photos',
  );
  const masked = (pictures: readonly Float32Array[], label: string): Promise<MaskedPicture[][]> =>
    seesMasks(model.unet.config)
      ? maskedPictures(pictures, { size, latents, seed }, (covered) => posteriors(covered, label))
      : Promise.resolve([]);
  const ofPhotos = await masked(
    photos.map(({ photo }) => photo),
    'reading masked photos',
  );
  const subject = photos.map(({ file, lossWeights }, i): SubjectPicture => ({
    ...(read[i] as Posterior),
    masked: ofPhotos[i],
    ids: encode(photoPrompt(settings, file)),
    lossWeights,
  }));
  const classIds = classPrompts(settings).map(encode);
  const ofClassMasked = ofClass && (await masked(ofClass, 'reading masked class pictures'));
  const prior = ofClass
    ? (await posteriors(ofClass, 'reading class pictures')).map((posterior, i) => ({
        ...posterior,
        masked: ofClassMasked?.[i],
        ids: classIds[i % classIds.length] ?? [],
      }))
    : undefined;
  return {
    ...{ subject, prior, latents, batch, timesteps, seed },
    scalingFactor: model.vae.config.scaling_factor,
  };
}
