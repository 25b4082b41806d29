import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { openTokenizer } from '../../pipelines/openTokenizer.ts';
import { square, type Frame } from './aspectBuckets.ts';
import type { DiffusionBatch } from './batch.ts';
import { classPictures } from './classPictures.ts';
import {
  drawFrom,
  isMasked,
  measuredBatches,
  withNoiseOffset,
  type Dataset,
  type MaskedPicture,
  type SubjectPicture,
} from './dataset.ts';
import { LatentCache } from './latentCache.ts';
import { loadPhoto } from './photoPixels.ts';
import { latentShape, type Posterior } from './posteriors.ts';
import { classPrompts, photoPrompt, tokenIds } from './prompts.ts';
import { openReplay } from './replay.ts';
import { maskedPictures } from './inpaintMasks.ts';
import { seesMasks } from '../../models/config.ts';
import { subjectPhotos, type SubjectPhoto } from './subjectPhotos.ts';

/** [c,h,w] of one picture's latents. */
export type LatentShape = readonly [number, number, number];

/** Where a run's batches come from: recorded ones, or photos and class pictures. */
export interface FinetuneBatches {
  /** Rows of a batch. */
  readonly rows: number;
  /** [c,h,w] of batches: one shape, or with aspect buckets several. */
  readonly shapes: readonly [LatentShape, ...LatentShape[]];
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
    return { rows, shapes: [latents], prior, masked: false, batch, measured: [] };
  }
  const datasets = await subjectDatasets(model, settings, timesteps, cache, context);
  const [first, ...others] = datasets;
  return {
    rows: settings.batch * (first.prior ? 2 : 1),
    shapes: [first.latents, ...others.map(({ latents }) => latents)],
    prior: first.prior !== undefined,
    masked: isMasked(first),
    batch: (index) => withNoiseOffset(drawFrom(datasets, index), settings, index),
    measured: datasets.flatMap(measuredBatches),
  };
}

/**
 * From photos to what batches are drawn from, a dataset for each shape: the photos, cut to squares or to buckets; class pictures, made by the
 * base model where they are not in the cache, and cut to each of these shapes; the VAE's posteriors of both, kept there too; the tokens
 * of their prompts. Errors: those of each step, `size.unusable`.
 */
export async function subjectDatasets(
  model: Model,
  settings: FinetuneSettings,
  timesteps: number,
  cache: string,
  context: JobContext,
): Promise<[Dataset, ...Dataset[]]> {
  const { size, provider, batch, seed } = settings;
  const [, rows] = latentShape(model, square(size));
  const photos = await subjectPhotos(settings, size / rows, context);
  const ofClass = settings.prior && (await classPictures(model, settings, cache, context));
  const tokenizer = await openTokenizer(model);
  const encode = (prompt: string): number[] => {
    const { ids, truncated } = tokenIds(model, tokenizer, prompt);
    if (truncated !== undefined)
      context.report({ type: 'warning', message: `The prompt is too long; "${truncated}" was cut.` });
    return ids;
  };
  const classIds = classPrompts(settings).map(encode);
  const masked = photos.some(({ lossWeights }) => lossWeights !== undefined);
  const datasetOf = async (own: readonly SubjectPhoto[], frame: Frame): Promise<Dataset> => {
    const latents = latentShape(model, frame);
    const kept = await LatentCache.open(model, { frame, provider, cache });
    const posteriors = (pictures: readonly Float32Array[], label: string): Promise<Posterior[]> =>
      kept.posteriors(pictures, label, context);
    const partly = (pictures: readonly Float32Array[], label: string): Promise<MaskedPicture[][]> =>
      seesMasks(model.unet.config)
        ? maskedPictures(pictures, { frame, latents, seed }, (covered) => posteriors(covered, label))
        : Promise.resolve([]);
    const pixels = own.map(({ photo }) => photo);
    const read = await posteriors(pixels, 'reading photos');
    const ofPhotos = await partly(pixels, 'reading masked photos');
    const subject = own.map(({ file, lossWeights }, i): SubjectPicture => ({
      ...(read[i] as Posterior),
      masked: ofPhotos[i],
      ids: encode(photoPrompt(settings, file)),
      lossWeights,
    }));
    const classPixels: Float32Array[] = [];
    for (const file of ofClass ?? []) classPixels.push(await loadPhoto(file, { frame }));
    const ofClassMasked = ofClass && (await partly(classPixels, 'reading masked class pictures'));
    const prior = ofClass
      ? (await posteriors(classPixels, 'reading class pictures')).map((posterior, i) => ({
          ...posterior,
          masked: ofClassMasked?.[i],
          ids: classIds[i % classIds.length] ?? [],
        }))
      : undefined;
    return {
      ...{ subject, prior, latents, batch, timesteps, seed, masked },
      scalingFactor: model.vae.config.scaling_factor,
    };
  };
  const [first, ...others] = byFrame(photos);
  if (!first) throw problem('training.noPhotos', { option: '--photos' });
  if (others.length > 0) context.report({ type: 'note', message: shapesText([first, ...others]) });
  const datasets: [Dataset, ...Dataset[]] = [await datasetOf(first.photos, first.frame)];
  for (const one of others) datasets.push(await datasetOf(one.photos, one.frame));
  return datasets;
}

interface Shape {
  readonly frame: Frame;
  readonly photos: readonly SubjectPhoto[];
}

/** Photos of each shape together, in the order in which shapes come. */
function byFrame(photos: readonly SubjectPhoto[]): Shape[] {
  const groups = new Map<string, Shape & { photos: SubjectPhoto[] }>();
  for (const photo of photos) {
    const key = `${photo.frame.width}×${photo.frame.height}`;
    const known = groups.get(key) ?? { frame: photo.frame, photos: [] };
    known.photos.push(photo);
    groups.set(key, known);
  }
  return [...groups.values()];
}

function shapesText(shapes: readonly Shape[]): string {
  const each = shapes.map(({ frame, photos }) => `${photos.length} of ${frame.width}×${frame.height}`);
  return `Pictures are trained in ${shapes.length} shapes: ${each.join(', ')}.`;
}
