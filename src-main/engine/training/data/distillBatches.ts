import type { DistillSettings } from '../../../../src-shared/domain/distillSettings.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { square } from './aspectBuckets.ts';
import { captionedPictures } from './captionedPictures.ts';
import { sampleLatents } from './dataset.ts';
import type { ConsistencyBatch, DistillBatch } from './batch.ts';
import { PictureCache } from './pictureCache.ts';
import { latentShape } from './posteriors.ts';
import { sizeInputs } from '../../models/config.ts';
import { contextWidth } from '../../models/textEncoders.ts';
import type { AddedInputs } from '../../models/unet.ts';
import { pixelsPerLatent, sizesFor } from '../../pipelines/sizes.ts';
import { f32, i64, type HostTensor } from '../../tensor/tensor.ts';
import { solverTimesteps } from '../../schedulers/lcm.ts';
import { generatorFor } from '../../tensor/seeded.ts';
import { openRecord, recordedNumbers, recordedSizes, type Recording } from './replay.ts';
import { refuseUndistillable } from './trainable.ts';

/** Where a distillation's batches come from: recorded ones, or pictures with captions. */
export interface DistillSource {
  /** Rows of a batch. */
  readonly rows: number;
  readonly latents: readonly [number, number, number];
  readonly batch: (index: number) => DistillBatch;
}

export interface DistillBatchesOptions {
  readonly cache: string;
  /** Gets a line for each picture that can't be used, and the number of all pictures. */
  readonly onSkipped: (lines: readonly string[], pictures: number) => void;
}

/** `model` gives the VAE, the tokenizer and the text encoder. Errors: `replay.…`, `data.…`, `size.unusable`. */
export async function distillBatches(
  model: Model,
  settings: DistillSettings,
  timesteps: number,
  { cache, onSkipped }: DistillBatchesOptions,
  context: JobContext,
): Promise<DistillSource> {
  refuseUndistillable(model, settings.lcm);
  if (settings.replay !== undefined) return recorded(model, settings, settings.replay, timesteps);
  if (settings.data === undefined) throw problem('data.missing', { data: '--data' });
  const latents = latentShape(model, square(settings.size));
  const found = await captionedPictures(settings.data, cache);
  const skipped = [...found.skipped];
  const pictures = await PictureCache.prepare(
    model,
    found.pictures,
    { ...settings, cache },
    (line) => void skipped.push(line),
    context,
  );
  onSkipped(skipped, found.pictures.length + found.skipped.length);
  if (pictures.count === 0) throw problem('data.none', { data: settings.data });
  const { max_position_embeddings: tokens } = model.textEncoder.config;
  const pooledWidth = model.unet.config.addition?.textWidth;
  const options = {
    ...settings,
    pictures,
    latents,
    tokens,
    width: contextWidth(model),
    pooledWidth,
    timesteps,
  };
  return {
    rows: settings.batch,
    latents,
    batch: (index) => drawBatch({ ...options, scalingFactor: model.vae.config.scaling_factor }, index),
  };
}

function recorded(model: Model, settings: DistillSettings, file: string, timesteps: number): DistillSource {
  const { max_position_embeddings: tokens } = model.textEncoder.config;
  const { in_channels: channels, addition } = model.unet.config;
  const record = openRecord(file, { channels, tokens, timesteps }, 'context', 'f32', [contextWidth(model)]);
  const wanted = settings.steps * settings.accumulate;
  if (record.steps < wanted) throw problem('replay.tooShort', { file, rows: record.steps, wanted });
  const guidance = settings.lcm ? recordedNumbers(file, 'guidance') : undefined;
  const added = addition && addedOf(model, file, record, addition.textWidth);
  const batch = (index: number): DistillBatch => {
    const { prompt: context, ...noise } = record.row(index);
    if (!context.data.every(Number.isFinite))
      throw problem('replay.invalid', { file, why: `row ${index} has a context that is not a number` });
    return {
      ...{ ...noise, context },
      ...(added && { added: added(index) }),
      ...(guidance && { guidance: guidance(index) }),
    };
  };
  // A fault is found before the networks are built, not at the step that would hit it.
  for (let index = 0; index < wanted; index++) batch(index);
  return { rows: record.batch, latents: record.latents, batch };
}

/** SDXL's added inputs in a recorded batch: "text_embeds" [n,b,p], and "time_ids" as in a finetune's. */
function addedOf(
  { vae }: Pick<Model, 'vae'>,
  file: string,
  record: Recording<'f32'>,
  textWidth: number,
): (index: number) => AddedInputs<HostTensor<'f32'>> {
  const pooled = record.tensor('text_embeds', [record.steps, record.batch, textWidth]);
  const sizes = recordedSizes(file, record, pixelsPerLatent(vae.config));
  return (index) => ({ text_embeds: pooled(index), time_ids: sizes(index) });
}

/**
 * The batch of a consistency distillation: of a recorded one, as it is; else with timesteps of the solver and guidance between the
 * least and the most, from a generator of its own.
 */
export function consistencyBatch(
  batch: DistillBatch,
  settings: DistillSettings,
  timesteps: number,
  index: number,
): ConsistencyBatch {
  if ('guidance' in batch) return batch as ConsistencyBatch;
  const { seed, solverSteps, leastGuidance: least, mostGuidance: most } = settings;
  const rows = batch.timesteps.shape[0] ?? 0;
  const generator = generatorFor(seed, 'consistency', index);
  const known = solverTimesteps(solverSteps, timesteps);
  const places = generator.randint(0, known.length, [rows]);
  const guidance = generator.rand([rows]).map((share) => least + (most - least) * share);
  return {
    ...batch,
    timesteps: i64(
      [rows],
      Array.from(places, (place) => known[place] ?? 0),
    ),
    guidance: { dtype: 'f32', shape: [rows], data: guidance },
  };
}

interface DrawOptions {
  readonly pictures: PictureCache;
  readonly batch: number;
  readonly flip: boolean;
  readonly latents: readonly [number, number, number];
  readonly tokens: number;
  readonly width: number;
  /** Numbers of SDXL's pooled prompt; none for other models. */
  readonly pooledWidth: number | undefined;
  readonly size: number;
  readonly scalingFactor: number;
  readonly timesteps: number;
  readonly seed: number;
}

/**
 * The batch of draw `index` (0, 1, …): pictures in an order shuffled anew each epoch, half of them mirrored, latents sampled
 * from their posteriors, noise and timesteps. A pure function of the seed and the index.
 */
function drawBatch(options: DrawOptions, index: number): DistillBatch {
  const { pictures, batch, flip, latents, tokens, width, pooledWidth, scalingFactor, timesteps, seed } =
    options;
  const generator = generatorFor(seed, 'batch', index);
  const size = latents[0] * latents[1] * latents[2];
  const values = new Float32Array(batch * size);
  const contexts = new Float32Array(batch * tokens * width);
  const pooled = new Float32Array(batch * (pooledWidth ?? 0));
  const orders = new Map<number, number[]>();
  for (let row = 0; row < batch; row++) {
    const drawn = index * batch + row;
    const epoch = Math.floor(drawn / pictures.count);
    const order = orders.get(epoch) ?? generatorFor(seed, 'picture order', epoch).randperm(pictures.count);
    orders.set(epoch, order);
    const picture = order[drawn % pictures.count] as number;
    const flipped = flip && generator.randint(0, 2, [1])[0] === 1;
    values.set(sampleLatents(pictures.posterior(picture, flipped), scalingFactor, generator), row * size);
    contexts.set(pictures.context(picture), row * tokens * width);
    if (pooledWidth !== undefined) pooled.set(pictures.pooled(picture, pooledWidth), row * pooledWidth);
  }
  const side = { width: options.size, height: options.size };
  const sizes = Array.from({ length: batch }, () => [...sizesFor(side).data]).flat();
  const shape = [batch, ...latents];
  return {
    latents: { dtype: 'f32', shape, data: values },
    noise: { dtype: 'f32', shape, data: generator.randn(shape) },
    timesteps: i64([batch], generator.randint(0, timesteps, [batch])),
    context: { dtype: 'f32', shape: [batch, tokens, width], data: contexts },
    ...(pooledWidth !== undefined && {
      added: {
        text_embeds: { dtype: 'f32', shape: [batch, pooledWidth], data: pooled },
        time_ids: f32([batch, sizeInputs], sizes),
      },
    }),
  };
}
