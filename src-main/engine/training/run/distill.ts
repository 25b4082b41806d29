import { checkedSettings } from '../../../../src-shared/domain/settingValues.ts';
import { distillSettings, type DistillSettings } from '../../../../src-shared/domain/distillSettings.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import { statOrNothing } from '../../checkpoints/files.ts';
import type { Model } from '../../checkpoints/model.ts';
import { hasHash, modelHash } from '../../checkpoints/modelHash.ts';
import { openModel } from '../../checkpoints/openModel.ts';
import { openTokenizer } from '../../pipelines/openTokenizer.ts';
import { TextToImage } from '../../pipelines/textToImage.ts';
import type { NoiseSchedule } from '../../schedulers/noiseSchedule.ts';
import { consistencyBatch, distillBatches, type DistillSource } from '../data/distillBatches.ts';
import { consistencyFeeds, consistencyLora, consistencyObjective } from '../loss/consistencyLoss.ts';
import { distillObjective, sharedSchedule, distillFeeds } from '../loss/distillLoss.ts';
import { startSizes } from '../loss/startingLora.ts';
import type { RunResult } from './loop.ts';
import { building, loopPhases, samplingSteps } from './plan.ts';
import { orWithdraw, RunFolder } from './runFolder.ts';
import { whileLocked } from './runLock.ts';
import { drawSample, type SampleSettings } from './samples.ts';
import { wholeNetworks } from '../loss/parameters.ts';
import { trainToEnd, type RunOptions, type Training } from './trainToEnd.ts';
import { plural } from '../../../../src-shared/plural.ts';

/**
 * Distils a teacher's U-Net into a student's (Kim et al. 2023, BK-SDM), or a model into a LoRA with which it draws in few steps (Luo
 * et al. 2023, LCM-LoRA). Resumes to the same bits. Checkpoints hold the student's U-Net in f32, or the LoRA; the moving average
 * where there is one. Errors: `distill.…`, `data.…`, and those of a finetune.
 */
export async function distill(options: RunOptions<DistillSettings>, context: JobContext): Promise<RunResult> {
  const { settings, out, version } = options;
  checkedSettings(distillSettings, settings);
  const models = { teacher: openModel(settings.teacher), student: openModel(settings.student) };
  const schedule = sharedSchedule(models.teacher, models.student);
  return whileLocked(out, async () => {
    const isNew = !RunFolder.exists(out);
    const run = openRun(out, { settings, version, ...models });
    return orWithdraw(run, isNew, () => train(run, { ...options, ...models, schedule }, context));
  });
}

interface Opened {
  readonly teacher: Model;
  readonly student: Model;
  readonly schedule: ReturnType<typeof sharedSchedule>;
}

async function train(
  run: RunFolder,
  { settings, teacher, student, schedule, cache, team }: RunOptions<DistillSettings> & Opened,
  context: JobContext,
): Promise<RunResult> {
  const onSkipped = (lines: readonly string[], pictures: number): void => {
    run.listSkipped(lines);
    if (lines.length > 0)
      context.report({
        type: 'warning',
        message: `${lines.length} of ${plural(pictures, 'picture', 'pictures')} can't be used and ${lines.length === 1 ? 'is' : 'are'} skipped (listed in ${run.path}/skipped.txt): ${lines[0]}`,
      });
  };
  const data = { cache, onSkipped };
  // What is read first depends on what an earlier run left in the cache.
  const reading = ['reading pictures', 'reading captions'].map((label) => ({ label, total: 1, weight: 0 }));
  const passes = 2 * samplingSteps;
  const phases = [...reading, building, ...loopPhases(settings, settings.batch, passes)];
  context.report({ type: 'plan', phases });
  const source = await distillBatches(student, settings, schedule.alphaBars.length, data, context);

  const learning = settings.lcm
    ? await toFewSteps(student, settings, schedule, source)
    : toSmaller(teacher, student, settings, schedule, source);
  const { trained, sampling } = learning;
  return trainToEnd(
    {
      ...{ run, settings, model: student, team, trained },
      ...{ loss: learning.loss, batch: learning.batch, shared: learning.shared },
      draw: async (path, shown, onStep) => {
        const { signal } = context;
        const sample = { ...settings, prompts: [settings.samplePrompt] };
        const original = run.teacherSamplePath;
        if (!statOrNothing(original)) await drawSample(original, teacher, sample, {}, { signal });
        const now = { ...trained.adapters, fed: shown.tensors };
        return drawSample(path, student, { ...sample, ...sampling }, now, { signal, onStep });
      },
      suspects: [student.unet.weights, teacher.unet.weights],
      places: { model: settings.student, teacher: settings.teacher, provider: settings.provider },
    },
    context,
  );
}

/** What one of the two ways to distil is made of. */
interface Learning extends Pick<Training, 'trained' | 'loss' | 'shared' | 'batch'> {
  /** How samples are drawn; as usual when left out. */
  readonly sampling?: Pick<SampleSettings, 'few'>;
}

function toSmaller(
  teacher: Model,
  student: Model,
  settings: DistillSettings,
  schedule: NoiseSchedule,
  { rows, latents, batch }: DistillSource,
): Learning {
  const { lambdaSd, lambdaOutput, lambdaFeature, precision } = settings;
  return {
    trained: wholeNetworks(student, { trainTextEncoder: false }),
    loss: distillObjective(teacher, student, { ...settings, batch: rows, latents }),
    shared: {
      ...{ kind: 'distill', settings: { lambdaSd, lambdaOutput, lambdaFeature, precision } },
      ...{ rows, latents: [...latents] },
      ...{ modelHash: modelHash(student), teacherHash: modelHash(teacher) },
    },
    batch: (index) => distillFeeds(batch(index), schedule),
  };
}

async function toFewSteps(
  model: Model,
  settings: DistillSettings,
  schedule: NoiseSchedule,
  { rows, latents, batch }: DistillSource,
): Promise<Learning> {
  const { lora, errors, seed, provider, precision } = settings;
  const trained = consistencyLora(model, settings);
  const pipeline = new TextToImage(model, await openTokenizer(model), { provider });
  const { context: negative } = await pipeline.encodePrompt('');
  await pipeline.dispose();
  const timesteps = schedule.alphaBars.length;
  return {
    trained,
    loss: consistencyObjective(model, trained, { batch: rows, latents, errors, provider, precision }),
    shared: {
      ...{ kind: 'consistency', settings: { lora, errors, seed, precision } },
      ...{ rows, latents: [...latents], modelHash: modelHash(model) },
      ...(settings.initLora !== undefined && { start: startSizes(trained.loras) }),
    },
    batch: (index) =>
      consistencyFeeds(
        consistencyBatch(batch(index), settings, timesteps, index),
        schedule,
        settings,
        negative,
      ),
    sampling: { few: true },
  };
}

function openRun(
  out: string,
  {
    settings,
    version,
    teacher,
    student,
  }: Pick<RunOptions<DistillSettings>, 'settings' | 'version'> & { teacher: Model; student: Model },
): RunFolder {
  const run = new RunFolder(out);
  if (!RunFolder.exists(out)) {
    const hashes = { modelHash: modelHash(student), teacherHash: modelHash(teacher) };
    run.create({ kind: 'distill', version, createdAt: new Date().toISOString(), ...hashes, settings });
    return run;
  }
  const known = run.describe('distill');
  if (!hasHash(student, known.modelHash))
    throw problem('run.otherModel', { folder: out, model: settings.student });
  if (known.teacherHash === undefined || !hasHash(teacher, known.teacherHash))
    throw problem('run.otherModel', { folder: out, model: settings.teacher });
  run.tidy();
  return run;
}
