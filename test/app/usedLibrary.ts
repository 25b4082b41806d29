import { createHash } from 'node:crypto';
import { copyFileSync, linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { problem } from '../../src-shared/messages/index.ts';
import type { CheckpointScore, ScoreReport } from '../../src-shared/domain/score.ts';
import type { Subject } from '../../src-shared/domain/subject.ts';
import { bundleFolder, shippedFiles } from '../../src-main/shipped.ts';
import { measurementKey } from '../../src-main/studio/training/measurementKey.ts';
import { cacheFolder } from '../../src-main/places.ts';
import { f32 } from '../../src-main/engine/tensor/tensor.ts';
import { loadPicture } from '../../src-main/engine/pictures/pictures.ts';
import { writeSafetensors } from '../../src-main/engine/checkpoints/writeSafetensors.ts';
import { writeReceipt } from '../../src-main/features/export/receipt.ts';
import { readRecipe } from '../../src-main/engine/pictures/png.ts';
import { nodeWorkers } from '../../src-main/jobs/workerProcess.ts';
import type { Library } from '../../src-main/storage/library.ts';
import { openStudio, type Studio } from '../../src-main/studio/studio.ts';
import {
  drawnFolder,
  drawnName,
  kinds,
  pickedStep,
  sampleName,
  scoredName,
  scoredPlaces,
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
  const teddy = await handlers['subjects.createSample']({});
  await handlers['photos.setCrop']({ id: 2, crop: { x: 60, y: 90, side: 380 } });
  await addMask(studio, teddy);
  addModels(library);
  await addRuns(studio, teddy);
  await addPictures(library, teddy, images);
  await addExport(library);
  library.prompts.use(`a photo of sks ${teddy.classNoun} in the snow`, 'blurry');
  addJobs(library, teddy);
  await studio.close();
}

/** The third photo's bear, roughly: middles and radii of its head, ears, body, arms and legs. */
const bear = [
  ...[[251, 172, 103, 106] as const, [155, 102, 40, 40] as const, [348, 102, 40, 40] as const],
  ...[[255, 335, 95, 92] as const, [130, 318, 64, 44] as const, [376, 316, 64, 44] as const],
  ...[[166, 402, 66, 66] as const, [350, 402, 68, 66] as const],
];

/** Its mask. */
async function addMask({ handlers }: Studio, { id: subjectId }: Subject): Promise<void> {
  const { photos } = await handlers['photos.list']({ subjectId });
  const photo = photos[2];
  if (!photo) throw new Error('no third photo');
  const ellipses = bear.map(
    ([x, y, across, down]) => `<ellipse cx="${x}" cy="${y}" rx="${across}" ry="${down}" fill="#fff"/>`,
  );
  const { id, width, height } = photo;
  const svg = Buffer.from(
    `<svg width="${width}" height="${height}"><rect width="100%" height="100%"/>${ellipses.join('')}</svg>`,
  );
  const png = await sharp(svg).png().toBuffer();
  await handlers['photos.setMask']({ id, data: png.toString('base64') });
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

/** 1: paused half way; 2: done, with scores and a pick; 3: cancelled. */
async function addRuns({ library, handlers }: Studio, teddy: Subject): Promise<void> {
  const { runs, checkpoints, folder } = library;
  const presets = await handlers['training.presets']({
    subjectId: teddy.id,
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
        { setup: 3.1, secondsPerStep: 0.64, secondsPerPicture: 0.9, bytes: 1.3e9, gflops: 180 },
      );
  const made = [
    { name: 'Balanced 2', state: 'paused', steps: 400, step: 260, picked: null },
    { name: 'Balanced', state: 'done', steps: 400, step: 400, picked: pickedStep },
    { name: 'Quick', state: 'cancelled', steps: 150, step: 80, picked: null },
  ] as const;
  for (const [i, { name, state, steps, step, picked }] of made.entries()) {
    const place = folder.claim(`${teddy.folder}/runs`, name);
    const settings = { ...preset.settings, steps, checkpointEvery: 100, sampleEvery: 100 };
    const { id } = runs.create({
      ...{ subjectId: teddy.id, name, folder: place, modelId: model.id, modelName: model.name, settings },
      ...{ state, step, createdAt: noon - i * 90 * minute },
    });
    runs.change(id, { loss: 0.0812, secondsPerStep: 0.64, pickedStep: picked, finishedAt: i ? noon : null });
    const lines = Array.from({ length: step }, (_, k) =>
      JSON.stringify({ type: 'step', step: k + 1, loss: lossAt(k, id), seconds: 0.64 }),
    );
    writeFileSync(folder.at(place, 'log.jsonl'), `${lines.join('\n')}\n`);
    for (const at of drawnSteps.filter((drawn) => drawn <= step)) {
      const sample = path.join(folder.make(place, 'samples'), `${String(at).padStart(6, '0')}.png`);
      copyFileSync(path.join(drawnFolder, sampleName(at)), sample);
      if (at === 0) continue;
      checkpoints.add(id, at);
      checkpoints.setSample(id, at);
      if (id === 2) checkpoints.setScore(id, at, score(at / 100 - 1));
    }
    // A pause puts down where it stopped.
    if (state !== 'done') checkpoints.add(id, step);
  }
  library.scores.set(2, report);
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

const lossAt = (k: number, id: number): number =>
  0.07 + 0.09 * Math.exp(-k / (60 + 40 * id)) + 0.03 * Math.abs(Math.sin(k * 12.9 + id) * Math.cos(k * 7.3));

const score = (k: number): CheckpointScore => ({
  subject: { value: 0.55 + 0.09 * k, low: 0.51 + 0.09 * k, high: 0.59 + 0.09 * k },
  prompt: { value: 0.74 - 0.03 * k, low: 0.7 - 0.03 * k, high: 0.78 - 0.03 * k },
  variety: { value: 0.6 - 0.05 * k, low: null, high: null },
  leak: { value: 0.04 + 0.02 * k, low: null, high: null },
  memorized: k > 3,
});

const report: ScoreReport = {
  checkpoints: [0, 1, 2, 3].map((k) => ({ step: (k + 1) * 100, score: score(k) })),
  prompts: scoredPlaces.map((place) => `a sks teddy bear ${place}`),
  pick: {
    step: 300,
    reason:
      'Step 300 comes 71% of the way from the base model to the photos and keeps 62% of its obedience to prompts; later checkpoints are more alike but pay more than that in obedience to prompts.',
  },
  curve: {
    ...{
      knee: 200,
      fidelityBy: 'subject (MobileNetV2)',
      editabilityBy: 'prompt (the model’s own text encoder)',
    },
    points: [0, 1, 2, 3].map((k) => ({
      step: (k + 1) * 100,
      fidelity: [0.22, 0.58, 0.71, 0.75][k] ?? 0,
      editability: [0.93, 0.8, 0.62, 0.41][k] ?? 0,
    })),
  },
  subjects: [],
  warnings: ['Step 400: every teddy bear begins to look like yours. An earlier checkpoint keeps them apart.'],
  features: { subject: 'MobileNetV2', prompt: 'the model’s own text encoder' },
};

/** What drawPictures.ts drew, each file as often as it is needed (a link to the first of its kind). */
async function addPictures(library: Library, teddy: Subject, images: number): Promise<void> {
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
        ...{ subjectId: teddy.id, runId: 2, step: pickedStep, createdAt: noon - number * minute, recipe },
      });
      library.images.setScore(id, 0.6 + (number % 10) / 40);
      if (number % 7 === 0) library.images.setFavourite([id], true);
    }
  });
}

/** A LoRA file of one module, with its receipt. */
async function addExport({ exports, folder }: Library): Promise<void> {
  const place = `${folder.claim('exports', 'Teddy 300 kohya')}/teddy.safetensors`;
  const out = folder.at(place);
  const prefix = 'lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q';
  writeSafetensors(
    out,
    ['lora_down.weight', 'lora_up.weight', 'alpha'].map((name) => ({
      name: `${prefix}.${name}`,
      tensor: f32([1, 1]),
    })),
  );
  const step = 300;
  const pictures = await Promise.all(
    (['base model', 'the run', 'the export, read back'] as const).map(async (title, i) => ({
      title,
      picture: await loadPicture(path.join(drawnFolder, `sample-${i === 0 ? 1 : 3}00.png`)),
    })),
  );
  const proof = { tensors: 128, maxError: 0.0008 };
  await writeReceipt(out, { format: 'kohya', step, prompt: 'a photo of sks teddy bear', ...proof, pictures });
  exports.add({ runId: 2, step, format: 'kohya', path: place, bytes: 3.2e6, ...proof });
}

/** Jobs in every state that lasts; none that would start. */
function addJobs({ jobs }: Library, teddy: Subject): void {
  const paused = jobs.add({
    kind: 'train',
    title: 'Training Teddy',
    input: {},
    subjectId: teddy.id,
    runId: 1,
  });
  const progress = { done: 260, total: 400, label: 'steps', share: 0.65, eta: 92, memory: 1.3e9 };
  jobs.change(paused.id, { state: 'paused', progress });
  const done = jobs.add({ kind: 'score', title: 'Scores of Balanced', input: {}, runId: 2 });
  jobs.change(done.id, { state: 'done', finishedAt: noon });
  const failed = jobs.add({ kind: 'import', title: 'Importing sd15.safetensors', input: {} });
  const message = 'sd15.safetensors is not there; check the path, or connect the drive it is on.';
  jobs.change(failed.id, { state: 'failed', finishedAt: noon, error: { code: 'file.missing', message } });
  const other = jobs.add({ kind: 'import', title: 'Importing sdxl.safetensors', input: {} });
  const { code, message: why } = problem('model.family', {
    file: 'sdxl.safetensors',
    found: 'an SDXL model in one file (its diffusers folder can be used)',
  });
  jobs.change(other.id, { state: 'failed', finishedAt: noon - minute, error: { code, message: why } });
}
