import * as z from 'zod';
import {
  trainingChangesType,
  trainingSettings,
  trainingSettingsType,
  withoutIdlePrior,
  type TrainingChanges,
} from '../../../src-shared/domain/finetuneSettings.ts';
import { idSchema } from '../../../src-shared/domain/id.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import { withInput, type JobHandling } from '../../jobs/kind.ts';
import type { NewJob, StoredJob } from '../../storage/jobs.ts';
import type { Measured } from '../../storage/measurements.ts';
import type { Surroundings } from '../context.ts';
import { measurementKey } from './measurementKey.ts';
import { presetsFor } from './presets.ts';
import { trainingRoom } from './room.ts';

const measureInput = z.object({
  modelId: idSchema,
  key: z.string(),
  settings: trainingSettingsType,
  changes: trainingChangesType.optional(),
});
type MeasureInput = z.infer<typeof measureInput>;

/** The next dry run that would tell more about the presets; undefined when all is known. */
export async function nextDryRun(
  { library }: Pick<Surroundings, 'library'>,
  subjectId: number,
  modelId: number,
  changes: TrainingChanges = {},
): Promise<NewJob | undefined> {
  const model = library.models.get(modelId);
  const subject = library.subjects.get(subjectId);
  const room = await trainingRoom(library.settings.get().provider);
  const presets = presetsFor(subject, model, library, room, { changes });
  const wanted = presets.find(({ measured, fits }) => !measured && fits);
  if (!wanted) return undefined;
  const settings = withoutIdlePrior(completeSettings(trainingSettings, changes, wanted.settings));
  const key = measurementKey(model, library.settings.get().provider, settings);
  const input: MeasureInput = { modelId, key, settings, changes };
  return { kind: 'measure', title: `Trying out ${model.name} on this machine`, input, subjectId };
}

/** Errors of a job that had too little memory: the system ended it, or it said so. */
const shortOfMemory = new Set(['job.crashed', 'memory.short', 'provider.outOfMemory']);

/**
 * A dry run as a job. If it runs out of memory, by its own report or because the system killed it, that is recorded, and `enqueue`
 * gets the next one down the ladder.
 */
export function measureJob(
  { library, shipped, emit }: Surroundings,
  enqueue: (job: NewJob) => void,
): JobHandling<'measure'> {
  const { models, subjects, folder, measurements, settings } = library;
  const keep = ({ input, subjectId }: StoredJob<MeasureInput>, measured: Measured | null): void => {
    const { modelId, key, changes } = input;
    measurements.set(key, measured);
    emit('training.measured', { modelId });
    if (subjectId === null) return;
    void nextDryRun({ library }, subjectId, modelId, changes).then(
      (next) => next && enqueue(next),
      // The subject or the model has been removed meanwhile.
      () => undefined,
    );
  };
  return withInput(measureInput, {
    models: ({ input }) => [models.get(input.modelId)],
    task: ({ input: { modelId, settings: wanted }, subjectId }) => {
      const { path: model } = models.get(modelId);
      const photos = folder.photos(subjects.get(subjectId ?? 0));
      const { provider } = settings.get();
      return {
        request: { settings: { ...wanted, model, photos, provider } },
        version: shipped.version,
      };
    },
    done: keep,
    changed: (job) => {
      if (job.state === 'failed' && shortOfMemory.has(job.error?.code ?? '')) keep(job, null);
    },
  });
}
