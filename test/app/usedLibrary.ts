import { createHash } from 'node:crypto';
import { copyFileSync, linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import * as z from 'zod';
import { problem } from '../../src-shared/messages/index.ts';
import { receiptPlace } from '../../src-shared/domain/receipt.ts';
import type { Subject } from '../../src-shared/domain/subject.ts';
import { bundleFolder, shippedFiles } from '../../src-main/shipped.ts';
import { measurementKey } from '../../src-main/studio/training/measurementKey.ts';
import { cacheFolder } from '../../src-main/places.ts';
import { f32 } from '../../src-main/engine/tensor/tensor.ts';
import { automaticMasks } from '../../src-main/engine/training/data/automaticMasks.ts';
import { writeSafetensors } from '../../src-main/engine/checkpoints/writeSafetensors.ts';
import { readRecipe } from '../../src-main/engine/pictures/png.ts';
import { nodeWorkers } from '../../src-main/jobs/workerProcess.ts';
import type { Library } from '../../src-main/storage/library.ts';
import { openStudio, type Studio } from '../../src-main/studio/studio.ts';
import {
  drawnFolder,
  drawnName,
  exportName,
  kinds,
  measuredExport,
  measuredInfluence,
  measuredLikeness,
  pickedStep,
  receiptOf,
  runLog,
  sampleName,
  scoredName,
  scoreReport,
  steps as drawnSteps,
  worthOfBlocks,
} from './drawn.ts';

/** Times are fixed, so that screenshots are the same every time. */
const noon = new Date(2026, 10, 20, 12).getTime();
const minute = 60_000;

/** Makes a library at `folder` that somebody has used for a while: subjects, runs, scores, `images` pictures, an export, jobs. */
export async function makeUsedLibrary(folder: string, images = 128): Promise<void> {
  const refuse = (): Promise<never> => Promise.reject(new Error('no surroundings'));
  const studio = await openStudio({
    folder,
    shipped: shippedFiles(),
    shell: { kind: 'browser', reveal: refuse, browse: refuse, trash: refuse },
    startWorker: nodeWorkers(path.join(bundleFolder(), 'worker.js')),
  });
  const { library, handlers } = studio;
  await handlers['settings.update']({ tourDone: true });
  const kitchen = library.projects.create('Kitchen');
  await handlers['subjects.create']({ name: 'Blue mug', token: 'zwx', projectId: kitchen.id });
  await handlers['subjects.create']({ name: 'Rex', classNoun: 'dog', token: 'vkj' });
  const sample = await handlers['subjects.createSample']({});
  await handlers['photos.setCrop']({ id: 2, crop: { x: 60, y: 90, side: 380 } });
  await addMask(studio, sample);
  addModels(library);
  await addRuns(studio, sample);
  addEvaluation(library);
  await addPictures(library, sample, images);
  addExport(library);
  library.prompts.use(`a photo of sks ${sample.classNoun} in the snow`, 'blurry');
  addJobs(library, sample);
  await studio.close();
}

/** The mask that Likeness finds for the third photo. */
async function addMask({ handlers, library }: Studio, { id: subjectId, folder }: Subject): Promise<void> {
  const { photos } = await handlers['photos.list']({ subjectId });
  const photo = photos[2];
  if (!photo) throw new Error('no third photo');
  const files = photos.map(({ name }) => library.folder.at(folder, 'photos', name));
  const mask = (await automaticMasks(files)).get(files[2] ?? '');
  if (!mask) throw new Error('no mask was found');
  const { width, height } = mask;
  const png = await sharp(mask.data, { raw: { width, height, channels: 3 } })
    .resize(photo.width, photo.height)
    .png()
    .toBuffer();
  await handlers['photos.setMask']({ id: photo.id, data: png.toString('base64') });
}

/** A smaller model that was made here, and what the blocks of the shipped one are worth. */
function addModels({ models, folder }: Library): void {
  const shipped = models.shipped();
  if (!shipped) throw new Error('no model');
  const { id: _, addedAt: __, ...rest } = shipped;
  /** Weights of down_blocks.2.0, the block that changes least. */
  const saved = 3_838_784;
  models.put({
    ...{ ...rest, name: 'Likeness mini, smaller', source: 'made', hash: '77aa0144cd' },
    ...{
      path: folder.make('models', 'smaller'),
      parameters: rest.parameters - saved,
      bytes: rest.bytes - 2 * saved,
    },
  });
  const place = path.join(cacheFolder(), 'advice', shipped.hash);
  mkdirSync(place, { recursive: true });
  copyFileSync(worthOfBlocks, path.join(place, 'sensitivity.json'));
}

/** What `evaluate subject` says of test/app/drawn and the sample's photos. */
function addEvaluation({ evaluations }: Library): void {
  evaluations.add({
    ...{ name: 'Comparing drawn with Sample toy', path: null, measuredAt: noon },
    notes: [
      'CLIP-I and CLIP-T are left out: no CLIP model was given.',
      'DINO is left out: no DINO model was given.',
    ],
    figures: { columns: [''], rows: [{ name: 'MobileNetV2', values: [0.4562] }] },
  });
}

/** 1: paused half way; 2: done, with scores and a pick; 3: cancelled. */
async function addRuns({ library, handlers }: Studio, sample: Subject): Promise<void> {
  const { runs, checkpoints, folder } = library;
  const presets = await handlers['training.presets']({
    subjectId: sample.id,
    otherSubjectIds: [],
    modelId: null,
  });
  const preset = presets[1];
  const model = library.models.shipped();
  if (!preset || !model) throw new Error('no preset, no model');
  // A screen that shows a preset, or its settings for an embedding, starts no measurement.
  for (const { settings } of presets)
    for (const method of [settings.method, 'embedding'] as const)
      library.measurements.set(
        measurementKey(model, library.settings.get().provider, { ...settings, method }),
        { setup: 3.1, secondsPerStep, secondsPerPicture: 0.9, bytes: 1.3e9, gflops: 180 },
      );
  const made = [
    { name: 'Balanced 2', state: 'paused', steps: 560, step: 364, picked: null },
    { name: 'Balanced', state: 'done', steps: 560, step: 560, picked },
    { name: 'Quick', state: 'cancelled', steps: 280, step: 140, picked: null },
  ] as const;
  for (const [i, { name, state, steps, step, picked: pickedStep }] of made.entries()) {
    const place = folder.claim(`${sample.folder}/runs`, name);
    const settings = {
      ...preset.settings,
      steps,
      checkpointEvery: drawnSteps[1],
      sampleEvery: drawnSteps[1],
    };
    const { id } = runs.create({
      ...{ subjectId: sample.id, name, folder: place, modelId: model.id, modelName: model.name, settings },
      ...{ state, step, createdAt: noon - i * 90 * minute },
    });
    const lines = log.slice(0, step);
    const { loss } = logLine.parse(JSON.parse(lines.at(-1) ?? '{}'));
    runs.change(id, { loss, secondsPerStep, pickedStep, finishedAt: i ? noon : null });
    writeFileSync(folder.at(place, 'log.jsonl'), `${lines.join('\n')}\n`);
    for (const at of drawnSteps.filter((drawn) => drawn <= step)) {
      const to = path.join(folder.make(place, 'samples'), `${String(at).padStart(6, '0')}.png`);
      copyFileSync(path.join(drawnFolder, sampleName(at)), to);
      if (at === 0) continue;
      checkpoints.add(id, at);
      checkpoints.setSample(id, at);
      const scored = id === 2 ? report.checkpoints.find((one) => one.step === at) : undefined;
      if (scored) checkpoints.setScore(id, at, scored.score);
    }
    // A pause puts down where it stopped.
    if (state !== 'done') checkpoints.add(id, step);
  }
  library.scores.set(2, report);
  copyFileSync(measuredInfluence, path.join(folder.make(runs.get(2).folder, 'influence'), 'influence.json'));
  const scored = folder.make(runs.get(2).folder, 'scores', 'pictures');
  for (const step of drawnSteps) {
    const name = step === 0 ? 'base' : String(step).padStart(6, '0');
    mkdirSync(path.join(scored, `${name}-used`));
    for (const index of report.prompts.keys())
      copyFileSync(
        path.join(drawnFolder, scoredName(step, index)),
        path.join(scored, `${name}-used`, `${String(index).padStart(4, '0')}.png`),
      );
  }
}

const logLine = z.object({ loss: z.number(), seconds: z.number() });

/** What `score` measured of this very run, the checkpoint that it advises, and the run's log. */
const report = scoreReport();
const picked = pickedStep();
const log = readFileSync(runLog, 'utf8').trim().split('\n');
const likeness = z.array(z.number()).parse(JSON.parse(readFileSync(measuredLikeness, 'utf8')));
const times = log.map((line) => logLine.parse(JSON.parse(line)).seconds);
const secondsPerStep = times.reduce((sum, seconds) => sum + seconds, 0) / times.length;

/** What drawPictures.ts drew, each file as often as it is needed (a link to the first of its kind). */
async function addPictures(library: Library, sample: Subject, images: number): Promise<void> {
  const { folder } = library;
  const drawn = await Promise.all(
    Array.from({ length: Math.min(kinds, images) }, async (_, kind) => {
      const png = path.join(drawnFolder, drawnName(kind));
      const bytes = readFileSync(png);
      return { bytes, hash: createHash('sha256').update(bytes).digest('hex'), recipe: await readRecipe(png) };
    }),
  );
  const place = folder.make('pictures', '2026-11');
  mkdirSync(place, { recursive: true });
  const nameOf = (number: number): string => `${String(number).padStart(6, '0')}.png`;
  library.atomically(() => {
    for (let number = 1; number <= images; number++) {
      const kind = number % drawn.length;
      const one = drawn[kind];
      if (!one) throw new Error(`no picture ${kind}`);
      const { bytes, hash, recipe } = one;
      const file = path.join(place, nameOf(number));
      if (number <= drawn.length) writeFileSync(file, bytes);
      else linkSync(path.join(place, nameOf(kind || drawn.length)), file);
      const { prompt, seed, width, height } = recipe;
      const { id } = library.images.add({
        ...{
          file: `pictures/2026-11/${nameOf(number)}`,
          hash,
          prompt,
          bytes: bytes.length,
          width,
          height,
          seed,
        },
        ...{ subjectId: sample.id, runId: 2, step: picked, createdAt: noon - number * minute, recipe },
      });
      library.images.setScore(id, likeness[kind] ?? 0);
      if (number % 7 === 0) library.images.setFavourite([id], true);
    }
  });
}

/** An export with the figures and the receipt of a real one; its file has one module, as a stand-in for the rest. */
function addExport({ exports, folder }: Library): void {
  const place = `${folder.claim('exports', `Sample ${picked} kohya`)}/${exportName}`;
  const out = folder.at(place);
  const prefix = 'lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q';
  writeSafetensors(
    out,
    ['lora_down.weight', 'lora_up.weight', 'alpha'].map((name) => ({
      name: `${prefix}.${name}`,
      tensor: f32([1, 1]),
    })),
  );
  for (const kind of ['json', 'png'] as const) copyFileSync(receiptOf(kind), receiptPlace(out, kind));
  const figures = exportFigures.parse(JSON.parse(readFileSync(measuredExport, 'utf8')));
  exports.add({ runId: 2, step: picked, format: 'kohya', path: place, ...figures });
}

const exportFigures = z.object({ tensors: z.int(), maxError: z.number(), bytes: z.int() });

/** Jobs in every state that lasts; none that would start. */
function addJobs({ jobs }: Library, sample: Subject): void {
  const paused = jobs.add({
    kind: 'train',
    title: `Training ${sample.name}`,
    input: {},
    subjectId: sample.id,
    runId: 1,
  });
  const progress = { done: 364, total: 560, label: 'steps', share: 0.65, eta: 92, memory: 1.3e9 };
  jobs.change(paused.id, { state: 'paused', progress });
  const done = jobs.add({ kind: 'score', title: 'Scores of Balanced', input: {}, runId: 2 });
  jobs.change(done.id, { state: 'done', finishedAt: noon });
  const failed = jobs.add({ kind: 'import', title: 'Importing sd15.safetensors', input: {} });
  const message = 'sd15.safetensors is not there; check the path, or connect the drive it is on.';
  jobs.change(failed.id, { state: 'failed', finishedAt: noon, error: { code: 'file.missing', message } });
  const other = jobs.add({ kind: 'import', title: 'Importing flux.safetensors', input: {} });
  const { code, message: why } = problem('model.family', {
    file: 'flux.safetensors',
    found: 'a Flux model',
  });
  jobs.change(other.id, { state: 'failed', finishedAt: noon - minute, error: { code, message: why } });
}
