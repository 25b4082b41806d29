import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { finetuneSettings, type FinetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { eachSubject } from '../../../src-shared/domain/runSubjects.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import type { Guidance } from '../../../src-shared/domain/guidance.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { makeFolder } from '../../engine/checkpoints/files.ts';
import { ownGuidance } from '../../engine/checkpoints/ownGuidance.ts';
import { subjectPrompt } from '../../engine/training/data/prompts.ts';
import { finetune } from '../../engine/training/run/finetune.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import { usableCache } from '../../engine/checkpoints/usableCache.ts';
import { cacheFolder } from '../../places.ts';
import { openRun, type OpenedRun } from '../export/openRun.ts';
import { recordGuidance } from './recordGuidance.ts';
import { comparedPrompts, type DistillRequest } from './request.ts';

/** Places that any model knows; where its own list is longer, that is used. */
const places = [
  ...[
    '',
    ' in the snow',
    ' on a beach',
    ' in the forest',
    ' on the grass',
    ' on a city street',
    ' in a kitchen',
  ],
  ...[' on a wooden floor', ' in front of a brick wall', ' at night', ' in a room', ' in the desert'],
];

const defaultSteps = 240;
/** As a share of the run's own rate: what the LoRA knows is to shift, not to be learnt again. */
const rateShare = 1 / 3;

/** A run's checkpoint, and the LoRA that draws with plain guidance what it draws with the base model's help. */
export interface Distilled {
  /** The run of that LoRA, in the folder of the run itself. */
  readonly run: string;
  readonly step: number;
  readonly guided: Guidance;
  readonly prompts: readonly string[];
}

/**
 * Distils the guidance of a run into its LoRA: records how the run draws, then goes on from its LoRA until plain guidance gives the same.
 * What was made once is kept beside the run's checkpoints; an interrupted one goes on. Errors: `run.…`, `guidance.…`, those of
 * `finetune`.
 */
export async function distillGuidance(
  { run: path, checkpoint }: { readonly run: string; readonly checkpoint?: number | undefined },
  request: DistillRequest,
  { report, signal }: JobContext,
  version: string,
): Promise<Distilled> {
  const opened = openRun(path, checkpoint);
  const run = new RunFolder(path);
  if (run.kind() !== 'finetune' || opened.adapters.length === 0)
    throw problem('guidance.needsLora', { folder: path });
  const { settings } = run.describe();
  const { steps = defaultSteps, scale } = request;
  const guided = { ...ownGuidance(settings.model, 'subject'), ...request.taught };
  if (guided.baseGuidance === 0) throw problem('guidance.none', { model: settings.model });

  // A recording has a second half, that of the empty prompt; of its settings only the weight is used.
  const { classNoun, size, model } = settings;
  const { prior: halves } = completeSettings(finetuneSettings, { classNoun }, { size, model });
  const subjects = eachSubject(settings).map((own) => subjectPrompt(own));
  const prompts = places.flatMap((place) => subjects.map((subject) => `${subject}${place}`));
  const name = [opened.step, scale, steps, ...Object.values(guided)].join('-');
  const folder = join(path, 'plain-guidance');
  const out = join(folder, name);
  const made = { run: out, step: opened.step, guided, prompts };
  if (RunFolder.exists(out) && new RunFolder(out).checkpointSteps().includes(steps)) return made;

  makeFolder(folder);
  const replay = join(folder, `${name}.safetensors`);
  report({ type: 'plan', phases: phasesOf(settings, steps, prompts.length) });
  if (!existsSync(replay))
    await record(replay, opened, { settings, prompts, guided, scale, steps, report, signal });
  await finetune(
    {
      ...{ out, version, cache: usableCache(cacheFolder()) },
      settings: {
        ...settings,
        ...{ steps, replay, initLora: run.checkpointPath(opened.step), photos: undefined },
        ...{ checkpointEvery: steps, sampleEvery: null, accumulate: 1, schedule: 'cosine', warmup: 0 },
        ...{
          prior: halves && { ...halves, weight: 1 },
          minSnrGamma: null,
          ema: null,
        },
        learningRate: settings.optimizer === 'prodigy' ? 1 : settings.learningRate * rateShare,
        textLearningRate: settings.textLearningRate === null ? null : settings.textLearningRate * rateShare,
      },
    },
    {
      report: (event) => {
        if (event.type === 'progress') report(event);
      },
      signal,
    },
  );
  rmSync(replay, { force: true });
  return made;
}

function phasesOf({ batch }: FinetuneSettings, steps: number, prompts: number) {
  return [
    { label: 'recording guidance', total: prompts, weight: 25 * 3 },
    { label: 'building the network', total: 1, weight: 0 },
    { label: 'steps', total: steps, weight: 3 * 2 * batch },
    { label: 'checkpoints', total: 1, weight: 0 },
    { label: 'comparing', total: 3 * comparedPrompts, weight: 25 * 2 },
  ];
}

async function record(
  file: string,
  { model, networks, size }: OpenedRun,
  {
    settings,
    prompts,
    report,
    ...rest
  }: {
    readonly settings: FinetuneSettings;
    readonly prompts: readonly string[];
    readonly guided: Guidance;
  } & {
    readonly scale: number;
    readonly steps: number;
  } & JobContext,
): Promise<void> {
  const progress = (done: number): void =>
    report({ type: 'progress', done, total: prompts.length, label: 'recording guidance' });
  progress(0);
  await recordGuidance(file, {
    ...{ model, size, prompts, ...rest },
    networks: { ...networks, provider: settings.provider },
    batch: settings.batch,
    onPicture: progress,
  });
}
