import { readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { FinetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import type { JobContext, JobEvent } from '../../../src-shared/domain/jobEvents.ts';
import type { InfluenceReport, PhotoInfluence } from '../../../src-shared/domain/photoInfluence.ts';
import { eachSubject } from '../../../src-shared/domain/runSubjects.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { sha256 } from '../../engine/checkpoints/contentHash.ts';
import { isFile, makeFolder } from '../../engine/checkpoints/files.ts';
import { hasHash } from '../../engine/checkpoints/modelHash.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { readSafetensors } from '../../engine/checkpoints/safetensors.ts';
import { expectTensor, readF32, Weights } from '../../engine/checkpoints/weights.ts';
import { writeAtomically, writeSafetensors } from '../../engine/checkpoints/writeSafetensors.ts';
import { pixelsPerLatent } from '../../engine/pipelines/sizes.ts';
import { noiseSchedule } from '../../engine/schedulers/noiseSchedule.ts';
import type { HostTensor } from '../../engine/tensor/tensor.ts';
import { subjectDatasets } from '../../engine/training/data/finetuneBatches.ts';
import { firstChange, learntFrom, ofSubject } from '../../engine/training/data/photoHashes.ts';
import { photoRegions, type PhotoRegion } from '../../engine/training/data/photoRegions.ts';
import { startIdsOf } from '../../engine/training/run/finetune.ts';
import { learnWithout } from '../../engine/training/run/leaveOneOut.ts';
import { photoErrors, type LookedAt } from '../../engine/training/run/photoErrors.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import { whatToTrain } from '../../engine/training/loss/parameters.ts';
import { usableCache } from '../../engine/checkpoints/usableCache.ts';
import { cacheFolder } from '../../places.ts';
import { costInWords, costOf } from './cost.ts';
import { figuresOf, type Errors } from './figures.ts';
import { findingOf, inNewPlaces } from './findings.ts';
import { fewestPhotos, influenceFile, type InfluenceRequest } from './request.ts';

export interface InfluenceResult extends InfluenceReport {
  readonly run: string;
  /** The report as a file. */
  readonly path: string;
}

/** A photo of the run, in the order of subjects and names. */
interface Photo extends PhotoRegion {
  readonly of: FinetuneSettings;
}

/**
 * Which photos of a run help and which hurt: short runs from the base model, one with all photos and one without each, on the same noise;
 * then the error on every photo, on noise that none was trained with. Every short run is kept when it is done, so a second call does only
 * what is left. Errors: `run.…`, `influence.…`, those of a finetune.
 */
export async function influence(request: InfluenceRequest, context: JobContext): Promise<InfluenceResult> {
  const { run, noises } = request;
  const { ofRun, model, modelHash, now } = await unchangedRun(run);
  const photos = await photosOf(ofRun, pixelsPerLatent(model.vae.config));
  const cost = costOf(request, ofRun, photos.length);
  const settings = shortened(ofRun, cost.steps, request);
  const { report, signal } = context;
  report({ type: 'note', message: costInWords(cost) });
  const rows = settings.batch * settings.accumulate * (settings.prior ? 2 : 1);
  const looks = (photos.length + 2) * photos.length * noises;
  report({
    type: 'plan',
    phases: [
      { label: 'short runs', total: cost.runs * cost.steps, weight: 3 * rows },
      { label: 'looking at photos', total: looks, weight: 1 },
    ],
  });

  const timesteps = noiseSchedule(model.scheduler, settings.model).alphaBars.length;
  const quiet = { report: onlyWarnings(report), signal };
  const turns = await subjectDatasets(model, settings, timesteps, usableCache(cacheFolder()), quiet);
  const trained = whatToTrain(model, { ...settings, startIds: await startIdsOf(model, settings) });
  const pictures = turns
    .flat()
    .flatMap((dataset) => dataset.subject.map((picture) => ({ picture, dataset })));
  const seen = photos.map(({ file }) => pictures.find(({ picture }) => picture.file === file) as LookedAt);

  const key = sha256(JSON.stringify([settings, now, modelHash, noises]), 12);
  const place = join(run, 'influence', key);
  makeFolder(place);
  const initial = Object.fromEntries(trained.names.map((name) => [name, trained.initial(name)]));
  let learning = 0;
  let looking = 0;
  const look = async (
    name: string,
    learn: (within: JobContext) => Promise<Readonly<Record<string, HostTensor<'f32'>>>>,
    steps: number,
  ): Promise<Errors[]> => {
    const file = join(place, `${name}.safetensors`);
    const progress = (label: string, done: number, before: number, total: number): void =>
      report({ type: 'progress', label, done: before + done, total });
    const within: JobContext = {
      signal,
      report: (event) => {
        if (event.type !== 'progress') return;
        if (event.label === 'steps') progress('short runs', event.done, learning, cost.runs * cost.steps);
        if (event.label === 'looking at photos') progress(event.label, event.done, looking, looks);
      },
    };
    if (!isFile(file)) {
      const learnt = await learn(within);
      const errors = await photoErrors({ model, trained, settings }, learnt, seen, noises, within);
      writeSafetensors(
        file,
        errors.map((tensor, i) => ({ name: `photo ${i + 1}`, tensor })),
      );
    }
    learning += steps;
    looking += photos.length * noises;
    return readErrors(file, seen, noises);
  };
  const base = await look('base', () => Promise.resolve(initial), 0);
  const without = (left: string | undefined, name: string): Promise<Errors[]> =>
    look(
      name,
      (within) => learnWithout({ model, trained, settings, turns }, left, join(place, `.${name}`), within),
      cost.steps,
    );
  const all = await without(undefined, 'all');
  const each: Errors[][] = [];
  for (const [i, { file }] of photos.entries()) each.push(await without(file, `without-${i + 1}`));

  const found = findings(photos, { base, all, each }, ofRun.newPlaces);
  if (!found) throw problem('influence.nothingLearnt', { folder: run, steps: cost.steps });
  const result: InfluenceReport = { steps: cost.steps, noises, photos: found };
  const path = join(run, influenceFile);
  // Results of other settings, photos or weights are out of date.
  for (const name of readdirSync(join(run, 'influence')))
    if (name !== key) rmSync(join(run, 'influence', name), { recursive: true, force: true });
  writeAtomically(path, () => [Buffer.from(`${JSON.stringify(result, null, 2)}\n`)]);
  return { run, path, ...result };
}

/** A run, its model, and its photos' hashes, once it is sure that neither model nor photos are others now. Errors: `run.…`, `influence.noPhotos`. */
async function unchangedRun(run: string): Promise<{
  readonly ofRun: FinetuneSettings;
  readonly model: Model;
  readonly modelHash: string;
  readonly now: Awaited<ReturnType<typeof learntFrom>>;
}> {
  if (!RunFolder.exists(run)) throw problem('run.missing', { folder: run });
  const { settings: ofRun, modelHash, photos: hashes } = new RunFolder(run).describe();
  const model = openModel(ofRun.model, ofRun.prediction);
  if (!hasHash(model, modelHash)) throw problem('run.otherModel', { folder: run, model: ofRun.model });
  if (ofRun.photos === undefined) throw problem('influence.noPhotos', { folder: run });
  const now = await learntFrom(ofRun);
  for (const [i, { photos = '' }] of eachSubject(ofRun).entries()) {
    const [before, after] = [ofSubject(hashes, i), ofSubject(now, i)];
    const change = before && after && firstChange(before, after);
    if (change) throw problem('run.otherPhotos', { folder: run, photos, ...change });
  }
  return { ofRun, model, modelHash, now };
}

/** Errors: `influence.fewPhotos`, those of `photoRegions`. */
async function photosOf(settings: FinetuneSettings, pixels: number): Promise<Photo[]> {
  const photos: Photo[] = [];
  for (const of of eachSubject(settings)) {
    const own = await photoRegions(of, pixels);
    if (own.length < fewestPhotos)
      throw problem('influence.fewPhotos', {
        photos: of.photos ?? '',
        count: own.length,
        fewest: fewestPhotos,
      });
    photos.push(...own.map((region) => ({ ...region, of })));
  }
  return photos;
}

/** The errors on every photo: before, after a short run with all photos, and after one without each. */
interface Seen {
  readonly base: readonly Errors[];
  readonly all: readonly Errors[];
  readonly each: readonly (readonly Errors[])[];
}

/** What each photo does, in figures and words; undefined where the short runs learnt nothing. */
function findings(
  photos: readonly Photo[],
  { base, all, each }: Seen,
  newPlaces: boolean,
): PhotoInfluence[] | undefined {
  const found: PhotoInfluence[] = [];
  for (const [index, photo] of photos.entries()) {
    const own = [...photos.keys()].filter((i) => photos[i]?.of === photo.of);
    const pick = <T>(values: readonly T[]): T[] => own.map((i) => values[i] as T);
    const figures = figuresOf(
      {
        subjects: pick(photos).map(({ subject }) => subject),
        ...{ base: pick(base), all: pick(all), without: pick(each).map(pick) },
      },
      own.indexOf(index),
    );
    if (!figures) return undefined;
    const name = basename(photo.file);
    const subject = `${photo.of.token} ${photo.of.classNoun}`;
    const scene = photo.of.photoScenes?.[name];
    const seen = newPlaces && photo.masked ? inNewPlaces(figures) : figures;
    found.push({
      ...{ name, subject, ...seen },
      ...findingOf({ ...seen, name, subject, masked: photo.masked, scene }),
    });
  }
  return found;
}

/** A run of so many steps, with the same share of them to warm up. */
function shortened(
  settings: FinetuneSettings,
  steps: number,
  { provider = settings.provider }: InfluenceRequest,
): FinetuneSettings {
  const warmup = Math.round((settings.warmup * steps) / settings.steps);
  // Photos share places out, so what one shows would change with which others are there.
  return { ...settings, steps, warmup, provider, newPlaces: false };
}

/** Passes on warnings; the notes of a run's start were read when it was trained. */
function onlyWarnings(report: JobContext['report']): (event: JobEvent) => void {
  return (event) => {
    if (event.type === 'warning') report(event);
  };
}

function readErrors(file: string, photos: readonly LookedAt[], noises: number): Errors[] {
  const weights = new Weights(file, readSafetensors(file).tensors);
  return photos.map(({ dataset: { latents } }, i) => {
    const [, height, width] = latents;
    const { data } = readF32(expectTensor(weights, `photo ${i + 1}`, [noises, height, width]));
    const size = height * width;
    return Array.from({ length: noises }, (_, draw) => data.slice(draw * size, (draw + 1) * size));
  });
}
