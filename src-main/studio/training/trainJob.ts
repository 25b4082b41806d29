import * as z from 'zod';
import { problem } from '../../../src-shared/messages/index.ts';
import type { StoredJob } from '../../storage/jobs.ts';
import type { JobHandling } from '../../jobs/kind.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import type { Surroundings } from '../context.ts';
import { keepScores, scoringOf } from '../scoreHandlers.ts';
import { expectedSeconds } from './expectedSeconds.ts';
import { readRerun, writeRerun } from './rerunFile.ts';
import { measurementKey } from './measurementKey.ts';
import { photosPlace } from './runPhotos.ts';

/** What a run's settings don't say. Jobs of an earlier version say nothing. */
const trainInput = z.object({
  /** What ends the run before its last step. */
  until: z.enum(['best']).nullable().default(null),
  /** A folder with pictures of the class; null: the base model draws them. */
  classPhotos: z.string().nullable().default(null),
});
export type TrainInput = z.infer<typeof trainInput>;

/** `job` undefined: what a run gets that nothing is said of. */
export function trainInputOf(job?: Pick<StoredJob, 'input'>): TrainInput {
  return trainInput.safeParse(job?.input).data ?? trainInput.parse({});
}

/** Training as a job. A run that has begun is resumed, to the same bits. */
export function trainJob(surroundings: Surroundings): JobHandling<'train'> {
  const { library, shipped, emit } = surroundings;
  const { runs, models, folder, settings, checkpoints, measurements } = library;
  const runOf = ({ runId }: StoredJob): number => {
    if (runId === null) throw problem('library.gone', { what: 'run' });
    return runId;
  };
  /** When each run was last written to the database. */
  const savedAt = new Map<number, number>();
  return {
    models: (job) => {
      const { modelId } = runs.get(runOf(job));
      return modelId === null ? [] : [models.get(modelId)];
    },
    task: (job) => {
      const run = runs.get(runOf(job));
      const out = folder.at(run.folder);
      const model = run.modelId === null ? shipped.model : models.get(run.modelId).path;
      const begun = RunFolder.exists(out);
      const photosOf = (index: number, place = run.folder): string => folder.at(place, photosPlace(index));
      const others = run.settings.otherSubjects ?? [];
      const { until, classPhotos } = trainInputOf(job);
      const again = readRerun(out);
      // With an outcome it is a run like any other, and may be given more steps.
      if (again && again.same === undefined) {
        const [capsule, photos] = [folder.at(again.of), photosOf(0, again.of)];
        const otherPhotos = others.map((_, i) => photosOf(i + 1, again.of));
        return {
          rerun: { capsule, photos, otherPhotos, out, model, resume: true },
          version: shipped.version,
        };
      }
      return {
        request: {
          out,
          resume: true,
          settings: begun
            ? // The run's folder has its settings; only its number of steps may have grown since.
              { model, ...(run.error?.code !== 'run.settings' && { steps: run.settings.steps }) }
            : {
                ...runs.settingsOf(run.id),
                ...(classPhotos !== null && { classPhotos }),
                model,
                photos: photosOf(0),
                ...(others.length > 0 && {
                  otherSubjects: others.map((words, i) => ({ ...words, photos: photosOf(i + 1) })),
                }),
                provider: settings.get().provider,
              },
        },
        ...(until === 'best' && { until: scoringOf(surroundings, run.id) }),
        version: shipped.version,
      };
    },
    expected: (job) => {
      const run = runs.get(runOf(job));
      const model = run.modelId === null ? models.shipped() : models.get(run.modelId);
      const measured =
        model && measurements.get(measurementKey(model, settings.get().provider, run.settings));
      return measured ? expectedSeconds(run.settings, measured) : undefined;
    },
    event: (job, event) => {
      const id = runOf(job);
      if (event.type === 'step') {
        const { step, loss, seconds } = event;
        emit('training.step', { runId: id, step, loss, seconds });
        if (Date.now() - (savedAt.get(id) ?? 0) < 1000) return;
        savedAt.set(id, Date.now());
        const before = runs.get(id).secondsPerStep;
        runs.change(id, {
          step,
          loss,
          secondsPerStep: before === null ? seconds : 0.8 * before + 0.2 * seconds,
        });
      } else if (event.type === 'checkpoint') {
        emit('training.checkpoint', checkpoints.add(id, event.step));
        emit('training.changed', runs.change(id, { step: event.step }));
      } else if (event.type === 'sample') {
        // Samples are also drawn before the first step, and at steps without a checkpoint.
        checkpoints.setSample(id, event.step);
        emit('training.sample', { runId: id, step: event.step });
      }
    },
    done: (job, { steps, loss, same, changed, scores }) => {
      if (scores) keepScores(surroundings, runOf(job), scores);
      const out = folder.at(runs.get(runOf(job)).folder);
      const again = readRerun(out);
      if (again && same !== undefined)
        writeRerun(out, { ...again, same, ...(changed && { changed: [...changed] }) });
      runs.change(runOf(job), { step: steps, loss: Number.isFinite(loss) ? loss : null });
    },
    kept: (job) => {
      const step = new RunFolder(folder.at(runs.get(runOf(job)).folder)).checkpointSteps().at(-1);
      return step === undefined ? undefined : `The checkpoint of step ${step} is kept`;
    },
    changed: (job) => {
      if (job.runId === null) return;
      const { state, error, finishedAt } = job;
      const run = runs.change(job.runId, { state, error, finishedAt });
      checkpoints.keepOnly(run.id, new RunFolder(folder.at(run.folder)).checkpointSteps());
      emit('training.changed', runs.get(run.id));
    },
  };
}
