import { checkedSettings } from '../../../../src-shared/domain/settingValues.ts';
import { distillSettings, type DistillSettings } from '../../../../src-shared/domain/distillSettings.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import { statOrNothing } from '../../checkpoints/files.ts';
import type { Model } from '../../checkpoints/model.ts';
import { hasHash, modelHash } from '../../checkpoints/modelHash.ts';
import { openModel } from '../../checkpoints/openModel.ts';
import { findBadValues } from '../../checkpoints/weights.ts';
import { distillBatches } from '../data/distillBatches.ts';
import { distillObjective, sharedSchedule, distillFeeds } from '../loss/distillLoss.ts';
import { trainingLoop, type RunResult } from './loop.ts';
import { loopPhases, samplingSteps } from './plan.ts';
import { RunFolder } from './runFolder.ts';
import { drawSample } from './samples.ts';
import { shownWeights } from './shownWeights.ts';
import { wholeNetworks } from '../loss/parameters.ts';
import { gatherTeam, type TeamSettings } from '../team/gather.ts';
import type { SharedRun } from '../team/sharedRun.ts';
import { Trainer } from './trainer.ts';
import { writeTrained } from './checkpoint.ts';

export interface DistillOptions {
  readonly settings: DistillSettings;
  /** The run's folder; a run that is already there continues. */
  readonly out: string;
  /** This program's version, kept with the run. */
  readonly version: string;
  /** Where latents and text features are kept for the next run. */
  readonly cache: string;
  /** Others that compute; this process alone when left out. */
  readonly team?: TeamSettings | undefined;
}

/**
 * Distils a teacher's U-Net into a student's (Kim et al. 2023, BK-SDM). Resumes to the same bits. Checkpoints hold the student's
 * U-Net in f32, the moving average where there is one. Errors: `distill.…`, `data.…`, and those of a finetune.
 */
export async function distill(
  { settings, out, version, cache, team }: DistillOptions,
  { report, signal }: JobContext,
): Promise<RunResult> {
  checkedSettings(distillSettings, settings);
  const teacher = openModel(settings.teacher);
  const student = openModel(settings.student);
  const schedule = sharedSchedule(teacher, student);
  const run = openRun(out, { settings, version, teacher, student });
  const onSkipped = (lines: readonly string[], pictures: number): void => {
    run.listSkipped(lines);
    if (lines.length > 0)
      report({
        type: 'warning',
        message: `${lines.length} of ${pictures} pictures can't be used and are skipped (listed in ${run.path}/skipped.txt): ${lines[0]}`,
      });
  };
  const data = { cache, onSkipped };
  // What is read first depends on what an earlier run left in the cache.
  const reading = ['reading pictures', 'reading captions'].map((label) => ({ label, total: 1, weight: 0 }));
  const passes = 2 * samplingSteps;
  report({ type: 'plan', phases: [...reading, ...loopPhases(settings, settings.batch, passes)] });
  const source = await distillBatches(student, settings, schedule.alphaBars.length, data, { report, signal });

  const loss = distillObjective(teacher, student, {
    ...settings,
    ...{ batch: source.rows, latents: source.latents },
  });
  const trained = wholeNetworks(student, { trainTextEncoder: false });
  const { lambdaSd, lambdaOutput, lambdaFeature } = settings;
  const shared: SharedRun = {
    ...{ kind: 'distill', settings: { lambdaSd, lambdaOutput, lambdaFeature } },
    ...{ rows: source.rows, latents: [...source.latents] },
    ...{ modelHash: modelHash(student), teacherHash: modelHash(teacher) },
  };
  const places = { model: settings.student, teacher: settings.teacher, provider: settings.provider };
  const trainer = await Trainer.create({
    ...{ ...loss, initial: trained.initial, optimizer: settings },
    source: team && (await gatherTeam(loss, shared, places, team, { report, signal })),
  });

  const shown = shownWeights(trainer, settings.ema);
  try {
    return await trainingLoop(
      {
        ...{ run, trainer, settings, ...shown.upkeep },
        batch: (index) => distillFeeds(source.batch(index), schedule),
        write: (folder) => writeTrained(folder, student, trained, shown.value),
        draw: async (path, onStep) => {
          const sample = { ...settings, prompt: settings.samplePrompt };
          const original = run.teacherSamplePath;
          if (!statOrNothing(original)) await drawSample(original, teacher, sample, {}, { signal });
          return drawSample(path, student, sample, { fed: shown.tensors }, { signal, onStep });
        },
        blame: () => {
          findBadValues(student.unet.weights);
          findBadValues(teacher.unet.weights);
        },
      },
      { report, signal },
    );
  } finally {
    await trainer.dispose();
  }
}

function openRun(
  out: string,
  {
    settings,
    version,
    teacher,
    student,
  }: Pick<DistillOptions, 'settings' | 'version'> & { teacher: Model; student: Model },
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
