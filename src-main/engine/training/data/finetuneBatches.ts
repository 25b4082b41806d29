import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { eachSubject } from '../../../../src-shared/domain/runSubjects.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { openTokenizer } from '../../pipelines/openTokenizer.ts';
import { square, type Frame } from './aspectBuckets.ts';
import type { DiffusionBatch } from './batch.ts';
import { classPictures } from './classPictures.ts';
import {
  drawInTurn,
  hasLossWeights,
  measuredBatches,
  withNoiseOffset,
  type Dataset,
  type MaskedPicture,
  type SubjectPicture,
} from './dataset.ts';
import { LatentCache } from './latentCache.ts';
import { learntWords, vectorsOf } from './learntWords.ts';
import { cutPhoto, type CutPhoto } from './photoPixels.ts';
import { latentShape, type Posterior } from './posteriors.ts';
import { classPrompt, photoPrompt, tokenIds } from './prompts.ts';
import { openReplay } from './replay.ts';
import { maskedPictures } from './inpaintMasks.ts';
import { seesMasks } from '../../models/config.ts';
import { promptEnds, promptLength } from '../../models/textEncoders.ts';
import { pixelsPerLatent } from '../../pipelines/sizes.ts';
import { subjectPhotos, type SubjectPhoto } from './subjectPhotos.ts';
import { plural } from '../../../../src-shared/plural.ts';

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
  /** Whether the subject's rows have loss weights, because a photo has a mask. */
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
    const { vocab_size: words } = model.textEncoder.config;
    const replay = openReplay(settings.replay, {
      channels,
      beside: seen - channels,
      tokens: promptLength(model),
      timesteps,
      words: words + vectorsOf(learntWords(settings)),
      ...(model.unet.config.addition && { pixelsPerLatent: pixelsPerLatent(model.vae.config) }),
    });
    const wanted = settings.steps * settings.accumulate;
    if (replay.steps < wanted)
      throw problem('replay.tooShort', { file: settings.replay, rows: replay.steps, wanted });
    const { batch: rows, latents, prior, row } = replay;
    const batch = (index: number): DiffusionBatch => withEnds(model, row(index));
    return { rows, shapes: [latents], prior, masked: false, batch, measured: [] };
  }
  const turns = await subjectDatasets(model, settings, timesteps, cache, context);
  const [first, ...others] = oneOfEachShape(turns.flat());
  return {
    rows: settings.batch * (first.prior ? 2 : 1),
    shapes: [first.latents, ...others.map(({ latents }) => latents)],
    prior: first.prior !== undefined,
    masked: hasLossWeights(first),
    batch: (index) => finetuneBatch(model, turns, settings, index),
    measured: turns
      .flat()
      .flatMap(measuredBatches)
      .map((batch) => withEnds(model, batch)),
  };
}

/** The batch of draw `index` out of each subject's datasets. */
export function finetuneBatch(
  model: Model,
  turns: readonly (readonly Dataset[])[],
  settings: FinetuneSettings,
  index: number,
): DiffusionBatch {
  return withEnds(model, withNoiseOffset(drawInTurn(turns, index), settings, index));
}

/** One dataset of each shape. */
export function oneOfEachShape(datasets: readonly Dataset[]): [Dataset, ...Dataset[]] {
  const [first, ...others] = new Map(datasets.map((one) => [one.latents.join(), one])).values();
  if (!first) throw new Error('there is nothing to draw from');
  return [first, ...others];
}

/** What batches of one subject are drawn from: a dataset for each shape of its pictures. */
type SubjectDatasets = [Dataset, ...Dataset[]];

/** For a second text encoder, where prompts end. */
export function withEnds(model: Model, batch: DiffusionBatch): DiffusionBatch {
  const ends = promptEnds(batch.inputIds, model);
  return ends ? { ...batch, promptEnds: ends } : batch;
}

/**
 * From photos to what batches are drawn from, for each subject: the photos, cut to squares or to buckets; class pictures, made by the
 * base model where they are not in the cache, and cut to each of these shapes; the VAE's posteriors of both, kept there too; the tokens
 * of their prompts. Errors: those of each step, `size.unusable`.
 */
export async function subjectDatasets(
  model: Model,
  settings: FinetuneSettings,
  timesteps: number,
  cache: string,
  context: JobContext,
): Promise<[SubjectDatasets, ...SubjectDatasets[]]> {
  const { size } = settings;
  const [, rows] = latentShape(model, square(size));
  const subjects = eachSubject(settings);
  const photos: SubjectPhoto[][] = [];
  for (const own of subjects) photos.push(await subjectPhotos(own, size / rows, context));
  const ofClass = await classPicturesOf(model, settings, cache, context);
  // All batches have the same inputs, whichever subject they show.
  const masked = photos.flat().some(({ lossWeights }) => lossWeights !== undefined);
  const words = learntWords(settings);
  const read = async (own: FinetuneSettings, i: number): Promise<SubjectDatasets> => {
    const pictures = { photos: photos[i] ?? [], ofClass: ofClass.get(own.classNoun), masked };
    return datasetsOf(
      model,
      own,
      { ...pictures, words },
      timesteps,
      cache,
      partOf(context, i, subjects.length),
    );
  };
  const [first, ...others] = subjects;
  const found: [SubjectDatasets, ...SubjectDatasets[]] = [await read(first, 0)];
  for (const [i, own] of others.entries()) found.push(await read(own, i + 1));
  return found;
}

/** Progress of the part `index` of `count` that are alike and done one after the other. */
function partOf({ report, signal }: JobContext, index: number, count: number): JobContext {
  const whole: JobContext['report'] = (event) =>
    report(
      event.type === 'progress'
        ? { ...event, done: index * event.total + event.done, total: count * event.total }
        : event,
    );
  return { report: whole, signal };
}

/** The files of the class pictures, by class noun. None without a prior. */
async function classPicturesOf(
  model: Model,
  settings: FinetuneSettings,
  cache: string,
  context: JobContext,
): Promise<ReadonlyMap<string, string[]>> {
  const found = new Map<string, string[]>();
  if (!settings.prior) return found;
  const classes = new Map(eachSubject(settings).map((own) => [own.classNoun, own]));
  for (const [noun, own] of classes)
    found.set(noun, await classPictures(model, own, cache, partOf(context, found.size, classes.size)));
  return found;
}

async function datasetsOf(
  model: Model,
  settings: FinetuneSettings,
  {
    photos,
    ofClass,
    masked,
    words,
  }: {
    readonly photos: readonly SubjectPhoto[];
    readonly ofClass: readonly string[] | undefined;
    readonly masked: boolean;
    readonly words: ReadonlyMap<string, number>;
  },
  timesteps: number,
  cache: string,
  context: JobContext,
): Promise<SubjectDatasets> {
  const { provider, batch, seed } = settings;
  const known = await openTokenizer(model);
  const tokenizer = known.withWords(words, model.textEncoder.config.vocab_size);
  const encode = (prompt: string): number[] => {
    const { ids, truncated } = tokenIds(model, tokenizer, prompt, vectorsOf(words));
    if (truncated !== undefined)
      context.report({ type: 'warning', message: `The prompt is too long; "${truncated}" was cut.` });
    return ids;
  };
  const classIds = (ofClass ?? []).map((file, i) => encode(classPrompt(settings, file, i)));
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
    const takesSizes = model.unet.config.addition !== null;
    const subject = own.map(({ file, lossWeights, sizes, place }, i): SubjectPicture => ({
      ...(read[i] as Posterior),
      file,
      maskedPictures: ofPhotos[i],
      ids: encode(photoPrompt(settings, file, place)),
      ...(takesSizes && { sizes }),
      lossWeights,
    }));
    const classPhotos: CutPhoto[] = [];
    for (const file of ofClass ?? []) classPhotos.push(await cutPhoto(file, { frame }));
    const classPixels = classPhotos.map(({ photo }) => photo);
    const ofClassMasked = ofClass && (await partly(classPixels, 'reading masked class pictures'));
    const prior = ofClass
      ? (await posteriors(classPixels, 'reading class pictures')).map((posterior, i) => ({
          ...posterior,
          maskedPictures: ofClassMasked?.[i],
          ids: classIds[i] ?? [],
          ...(takesSizes && { sizes: classPhotos[i]?.sizes }),
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

/** The photos that are cut to one frame. */
interface FramePhotos {
  readonly frame: Frame;
  readonly photos: readonly SubjectPhoto[];
}

/** The photos grouped by shape, in the order in which the shapes first appear. */
function byFrame(photos: readonly SubjectPhoto[]): FramePhotos[] {
  const groups = new Map<string, FramePhotos & { photos: SubjectPhoto[] }>();
  for (const photo of photos) {
    const key = `${photo.frame.width}×${photo.frame.height}`;
    const known = groups.get(key) ?? { frame: photo.frame, photos: [] };
    known.photos.push(photo);
    groups.set(key, known);
  }
  return [...groups.values()];
}

function shapesText(shapes: readonly FramePhotos[]): string {
  const each = shapes.map(({ frame, photos }) => `${photos.length} of ${frame.width}×${frame.height}`);
  return `Pictures are trained in ${plural(shapes.length, 'shape', 'shapes')}: ${each.join(', ')}.`;
}
