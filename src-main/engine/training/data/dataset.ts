import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { TorchGenerator } from '../../tensor/random.ts';
import { f32, i64, type HostTensor } from '../../tensor/tensor.ts';
import type { DiffusionBatch } from './batch.ts';
import { generatorFor } from '../../tensor/seeded.ts';
import { sizeInputs } from '../../models/config.ts';
import type { PhotoSizes } from './photoPixels.ts';
import type { Posterior } from './posteriors.ts';

/** A picture with part of it greyed out, as a model for inpainting sees it: the mask [h,w], 1 where it is grey, and the latents of the rest. */
export interface MaskedPicture extends Posterior {
  readonly mask: Float32Array;
}

/** A picture and its prompt's tokens; for a model for inpainting, also versions of it with a part greyed out. */
export interface PromptedPicture extends Posterior {
  readonly maskedPictures?: readonly MaskedPicture[] | undefined;
  readonly ids: readonly number[];
  /** SDXL's size inputs; other models have none. */
  readonly sizes?: PhotoSizes | undefined;
}

/** A photo of the subject, and what its latents weigh in the loss: [h,w] with mean 1 where it has a mask. */
export interface SubjectPicture extends PromptedPicture {
  /** The photo's. */
  readonly file?: string;
  readonly lossWeights?: Float32Array | undefined;
}

/** Everything that DreamBooth's batches are drawn from. */
export interface Dataset {
  readonly subject: readonly SubjectPicture[];
  /** Class pictures, with prior preservation. */
  readonly prior?: readonly PromptedPicture[] | undefined;
  readonly latents: readonly [number, number, number];
  readonly scalingFactor: number;
  /** Subject pictures a batch. */
  readonly batch: number;
  readonly timesteps: number;
  readonly seed: number;
  /** Every batch has loss weights; where left out, those of a dataset with a mask do. */
  readonly masked?: boolean;
}

/**
 * The batch of draw `index` out of several datasets, one for each shape: every photo is shown equally often, and the order of the shapes
 * is shuffled anew each epoch. With one dataset, that of `drawBatch`.
 */
export function drawFromShapes(datasets: readonly Dataset[], index: number): DiffusionBatch {
  const [first] = datasets;
  if (!first) throw new Error('there is nothing to draw from');
  if (datasets.length === 1) return drawBatch(first, index);
  const counts = datasets.map(({ subject, batch }) => Math.ceil(subject.length / batch));
  const inEpoch = counts.reduce((sum, count) => sum + count, 0);
  const epoch = Math.floor(index / inEpoch);
  const order = generatorFor(first.seed, 'shape order', epoch).randperm(inEpoch);
  let place = order[index % inEpoch] as number;
  const which = counts.findIndex((count) => {
    if (place < count) return true;
    place -= count;
    return false;
  });
  const dataset = datasets[which] as Dataset;
  const own = epoch * (counts[which] as number) + place;
  // The noise comes from a generator of its own, so batches of every shape draw the same numbers.
  return drawBatch({ ...dataset, seed: dataset.seed + 1000 * which }, own);
}

/**
 * The batch of draw `index` of a run with several subjects, each with its datasets: they take turns, so each is shown equally often,
 * however many photos it has. With one subject, that of `drawFromShapes`.
 */
export function drawInTurn(subjects: readonly (readonly Dataset[])[], index: number): DiffusionBatch {
  const turn = index % subjects.length;
  // Noise of its own: batches of different subjects have the same numbers.
  const datasets = (subjects[turn] ?? []).map((one) => ({ ...one, seed: one.seed + 1_000_000 * turn }));
  return drawFromShapes(datasets, Math.floor(index / subjects.length));
}

/**
 * The batch of draw `index` (0, 1, …): pictures in an order shuffled anew each epoch, latents sampled from their
 * posteriors, noise and timesteps. A pure function of the seed and the index. Where any photo has a mask, every batch has loss weights.
 */
export function drawBatch(options: Dataset, index: number): DiffusionBatch {
  const { subject, prior, latents, scalingFactor, batch, timesteps, seed } = options;
  const generator = generatorFor(seed, 'batch', index);
  const pick = <T>(pictures: readonly T[], purpose: string): T[] =>
    Array.from({ length: batch }, (_, i) => {
      const drawn = index * batch + i;
      const order = generatorFor(seed, purpose, Math.floor(drawn / pictures.length)).randperm(
        pictures.length,
      );
      return pictures[order[drawn % pictures.length] as number] as T;
    });
  const photos = pick(subject, 'subject order');
  const rows: PromptedPicture[] = [...photos, ...(prior ? pick(prior, 'class order') : [])];

  const size = latents[0] * latents[1] * latents[2];
  const shape = [rows.length, ...latents];
  const values = new Float32Array(rows.length * size);
  rows.forEach((picture, row) => {
    values.set(sampleLatents(picture, scalingFactor, generator), row * size);
  });
  return {
    latents: { dtype: 'f32', shape, data: values },
    noise: { dtype: 'f32', shape, data: generator.randn(shape) },
    timesteps: i64([rows.length], generator.randint(0, timesteps, [rows.length])),
    inputIds: i64(
      [rows.length, photos[0]?.ids.length ?? 0],
      rows.flatMap(({ ids }) => ids),
    ),
    ...timeIdsOf(rows),
    ...(hasLossWeights(options) && { lossWeights: weightsOf(photos, latents) }),
    ...besideOf(rows, options, index),
  };
}

function timeIdsOf(pictures: readonly PromptedPicture[]): Pick<DiffusionBatch, 'timeIds'> {
  const values = pictures.flatMap(({ sizes }) => sizes ?? []);
  return values.length > 0 ? { timeIds: f32([pictures.length, sizeInputs], values) } : {};
}

/** One of each picture's masks, drawn from a generator of its own, so that the rest of the batch is the same with and without masks. */
function besideOf(
  pictures: readonly PromptedPicture[],
  { latents: [channels, height, width], scalingFactor, seed }: Dataset,
  index: number,
): Pick<DiffusionBatch, 'beside'> {
  const pixels = height * width;
  const generator = generatorFor(seed, 'masks', index);
  const data = new Float32Array(pictures.length * (1 + channels) * pixels);
  for (const [row, { maskedPictures = [] }] of pictures.entries()) {
    if (maskedPictures.length === 0) return {};
    const [drawn = 0] = generator.randint(0, maskedPictures.length, [1]);
    const chosen = maskedPictures[drawn] as MaskedPicture;
    const at = row * (1 + channels) * pixels;
    data.set(chosen.mask, at);
    data.set(sampleLatents(chosen, scalingFactor, generator), at + pixels);
  }
  return { beside: { dtype: 'f32', shape: [pictures.length, 1 + channels, height, width], data } };
}

/** Whether batches have loss weights. */
export function hasLossWeights({ subject, masked }: Pick<Dataset, 'subject' | 'masked'>): boolean {
  return masked ?? subject.some(({ lossWeights }) => lossWeights !== undefined);
}

/** [b,1,h,w]; a photo without a mask counts alike everywhere. */
function weightsOf(
  photos: readonly SubjectPicture[],
  [, height, width]: Dataset['latents'],
): HostTensor<'f32'> {
  const data = new Float32Array(photos.length * height * width).fill(1);
  photos.forEach(({ lossWeights }, row) => {
    if (lossWeights) data.set(lossWeights, row * height * width);
  });
  return { dtype: 'f32', shape: [photos.length, 1, height, width], data };
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

/** Timesteps that a measured batch is spread over. */
const measuredTimesteps = 4;

export function measuredBatchCount(batch: number): number {
  return Math.ceil(measuredTimesteps / batch);
}

/**
 * Batches to measure by, the same each time: the subject's pictures in turn, at timesteps that are evenly spread. The class's half
 * is drawn as usual.
 */
export function measuredBatches(options: Dataset): DiffusionBatch[] {
  const { batch, timesteps, seed } = options;
  const own = { ...options, seed: seed + 1 };
  return Array.from({ length: measuredBatchCount(batch) }, (_, index) => {
    const drawn = drawBatch(own, index);
    const spread = Array.from(drawn.timesteps.data, (_, row) => {
      const place = (index * batch + (row % batch)) % measuredTimesteps;
      return Math.floor(((place + 0.5) / measuredTimesteps) * timesteps);
    });
    return { ...drawn, timesteps: i64([spread.length], spread) };
  });
}

/** Latents drawn from a posterior, scaled. */
export function sampleLatents(
  { mean, deviation }: Posterior,
  scalingFactor: number,
  generator: TorchGenerator,
): Float32Array {
  const draw = generator.randn([mean.length]);
  return mean.map((value, i) => (value + (deviation[i] as number) * (draw[i] as number)) * scalingFactor);
}
