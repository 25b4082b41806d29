import { subjectPrompt } from '../data/prompts.ts';
import { checkedSettings } from '../../../../src-shared/domain/settingValues.ts';
import {
  finetuneSettings,
  trainingSettingsOf,
  type FinetuneSettings,
} from '../../../../src-shared/domain/finetuneSettings.ts';
import { eachSubject } from '../../../../src-shared/domain/runSubjects.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { LikenessError, problem } from '../../../../src-shared/messages/index.ts';
import { networksOf, weightsOf, type Model } from '../../checkpoints/model.ts';
import { hasHash, modelHash } from '../../checkpoints/modelHash.ts';
import { openModel } from '../../checkpoints/openModel.ts';
import { ownGuidance } from '../../checkpoints/ownGuidance.ts';
import { noiseSchedule } from '../../schedulers/noiseSchedule.ts';
import type { DiffusionBatch } from '../data/batch.ts';
import { finetuneBatches, type LatentShape } from '../data/finetuneBatches.ts';
import { learntWords } from '../data/learntWords.ts';
import type { Tokenizer } from '../../models/tokenizer.ts';
import { firstChange, learntFrom, ofSubject, photoHashes } from '../data/photoHashes.ts';
import { listPhotos } from '../data/photoFolder.ts';
import { placeFiles } from '../data/places.ts';
import { picturesOf } from '../data/subjectPhotos.ts';
import { diffusionFeeds } from '../loss/diffusionLoss.ts';
import { finetuneObjective } from '../loss/finetuneObjective.ts';
import type { Feeds, LossOptions } from '../loss/gradients.ts';
import { ShapedGradients } from '../loss/shapedGradients.ts';
import { makeCapsule, weightHashes, writeCapsule } from './capsule.ts';
import { classPictureFiles } from '../data/classPictures.ts';
import type { RunResult } from './loop.ts';
import { finetunePhases } from './plan.ts';
import { orWithdraw, RunFolder } from './runFolder.ts';
import { whileLocked } from './runLock.ts';
import { drawSample } from './samples.ts';
import type { SharedRun } from '../team/sharedRun.ts';
import { startSizes } from '../loss/startingLora.ts';
import { whatToTrain } from '../loss/parameters.ts';
import { presentWords } from '../loss/trainedWords.ts';
import { openTokenizer } from '../../pipelines/openTokenizer.ts';
import { refuseHalfCheckpoint } from './wholeCheckpoint.ts';
import { trainToEnd, type RunOptions } from './trainToEnd.ts';

export type { RunResult as FinetuneResult } from './loop.ts';

/**
 * DreamBooth (Ruiz et al. 2022): teaches a model one subject from a few photos, whole or by LoRA, with prior preservation.
 * Every step is a function of the settings and the step's number, so a run that was stopped anywhere goes on to the
 * same bits. Errors: `training.…`, `replay.…`, `run.…`, `lora.…`, `photos.…`, `tensor.…`, `file.unwritable`.
 */
export async function finetune(
  options: RunOptions<FinetuneSettings>,
  context: JobContext,
): Promise<RunResult> {
  const { settings } = options;
  checkedSettings(finetuneSettings, settings);
  const model = openModel(settings.model, settings.prediction);
  return whileLocked(options.out, async () => {
    const isNew = !RunFolder.exists(options.out);
    const run = await openRun(options, model);
    return orWithdraw(run, isNew, () => train(run, model, options, context));
  });
}

async function train(
  run: RunFolder,
  model: Model,
  options: RunOptions<FinetuneSettings>,
  context: JobContext,
): Promise<RunResult> {
  const { settings, cache } = options;
  const schedule = noiseSchedule(model.scheduler, settings.model);
  if (settings.initLora !== undefined) refuseHalfCheckpoint(settings.initLora, model);
  // First, so that a target that is not there is reported before pictures are read and made.
  const trained = whatToTrain(model, { ...settings, startIds: await startIdsOf(model, settings) });
  if (settings.photos !== undefined) {
    const subjects = eachSubject(settings);
    let photos = 0;
    for (const { photos: folder } of subjects)
      photos += folder === undefined ? 0 : (await listPhotos(folder)).length;
    const places = settings.newPlaces ? (await placeFiles(settings.model)).length : 0;
    const pictures = picturesOf(photos, settings, places * subjects.length);
    const phases = finetunePhases(settings, pictures, ownGuidance(model.path, 'subject'));
    context.report({ type: 'plan', phases });
  }
  const source = await finetuneBatches(model, settings, schedule.alphaBars.length, cache, context);

  const capsule = await makeCapsule({
    ...{ settings, model, version: options.version, team: options.team !== undefined },
    classPictures:
      source.prior && settings.replay === undefined ? await classPictureFiles(model, settings, cache) : [],
  });
  writeCapsule(options.out, capsule);

  const priorWeight = source.prior ? (settings.prior?.weight ?? 1) : undefined;
  const lossOf = (latents: LatentShape): LossOptions =>
    finetuneObjective(model, trained, {
      ...{ ...source, latents, priorWeight },
      minSnr: settings.minSnrGamma !== null,
      precision: settings.precision,
      frugal: settings.recompute,
      provider: settings.provider,
    });
  const [shape, ...otherShapes] = source.shapes;
  const feeds = (batch: DiffusionBatch): Feeds =>
    diffusionFeeds(batch, schedule, settings.minSnrGamma, trained.words);
  const shared: SharedRun = {
    ...{ kind: 'finetune', settings: trainingSettingsOf(settings), modelHash: modelHash(model) },
    ...{ rows: source.rows, latents: [...shape], prior: source.prior, masked: source.masked },
    ...(settings.initLora !== undefined && { start: startSizes(trained.loras) }),
  };
  const result = await trainToEnd(
    {
      ...{ run, settings, model, trained, shared, team: options.team },
      loss: lossOf(shape),
      ...(otherShapes.length > 0 && { alone: () => ShapedGradients.create(shape, lossOf) }),
      rateOf: ratesOf(settings),
      batch: (index) => feeds(source.batch(index)),
      measured: source.measured.map(feeds),
      draw: (path, shown, onStep) =>
        drawSample(
          path,
          model,
          { ...settings, prompts: samplePrompts(settings) },
          {
            ...trained.adapters,
            fed: shown.tensors,
            ...(trained.words && { words: presentWords(trained.words, shown.value) }),
          },
          { signal: context.signal, onStep },
        ),
      suspects: networksOf(model).map((part) => weightsOf(model, part)),
      places: { model: settings.model, provider: settings.provider },
    },
    context,
  );
  writeCapsule(options.out, { ...capsule, results: weightHashes(result.checkpoint) });
  return result;
}

/** The person's own, or each subject's; their pictures are shown side by side. */
function samplePrompts(settings: FinetuneSettings): string[] {
  return settings.samplePrompt === null
    ? eachSubject(settings).map((own) => subjectPrompt(own))
    : [settings.samplePrompt];
}

/** The tokens that each subject's word starts from, where words are learnt. Errors: `tokenizer.*`. */
export async function startIdsOf(model: Model, settings: FinetuneSettings): Promise<number[][] | undefined> {
  if (settings.method !== 'embedding') return undefined;
  if (model.textEncoder2) throw problem('training.wordOfTwo', { model: settings.model });
  const tokenizer = await openTokenizer(model);
  return eachSubject(settings).map((own) => {
    const { classNoun, token, embedding } = own;
    if (isTaken(tokenizer, learntWords(own))) throw problem('training.wordTaken', { token });
    return tokenizer.textIds(embedding.initWord ?? classNoun);
  });
}

function isTaken(tokenizer: Tokenizer, words: ReadonlyMap<string, number>): boolean {
  try {
    tokenizer.withWords(words, 0);
    return false;
  } catch (error) {
    if (error instanceof LikenessError && error.code === 'embedding.taken') return true;
    throw error;
  }
}

/** Where the text encoder has a rate of its own, each part's; steps then have factors on it. */
export function ratesOf({
  learningRate,
  textLearningRate: text,
  optimizer,
}: FinetuneSettings): ((name: string) => number) | undefined {
  if (text === null || optimizer === 'prodigy') return undefined;
  return (name) => (name.startsWith('text_encoder') ? text : learningRate);
}

async function openRun(
  { out, settings, version }: RunOptions<FinetuneSettings>,
  model: Model,
): Promise<RunFolder> {
  const run = new RunFolder(out);
  const { classPhotos } = settings;
  const photos = await learntFrom(settings);
  const ofClass = classPhotos === undefined ? undefined : await photoHashes(classPhotos, false, 'class');
  if (!RunFolder.exists(out)) {
    const createdAt = new Date().toISOString();
    run.create({
      kind: 'finetune',
      version,
      createdAt,
      modelHash: modelHash(model),
      ...(photos && { photos }),
      ...(ofClass && { classPhotos: ofClass }),
      settings,
    });
  } else {
    const begun = run.describe();
    if (!hasHash(model, begun.modelHash))
      throw problem('run.otherModel', { folder: out, model: settings.model });
    const places = eachSubject(settings).map(
      (own, i) => [own.photos, ofSubject(begun.photos, i), ofSubject(photos, i)] as const,
    );
    for (const [place, before, now] of [...places, [classPhotos, begun.classPhotos, ofClass] as const]) {
      const change = before && now && firstChange(before, now);
      if (change) throw problem('run.otherPhotos', { folder: out, photos: place ?? '', ...change });
    }
    run.tidy();
  }
  return run;
}
