import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { readKept } from '../readKept.ts';
import { influenceReportSchema, type PhotoInfluence } from '../../src-shared/domain/photoInfluence.ts';
import { eachSubject } from '../../src-shared/domain/runSubjects.ts';
import { listPictures } from '../engine/pictures/pictures.ts';
import { RunFolder } from '../engine/training/run/runFolder.ts';
import { costOf } from '../features/influence/cost.ts';
import { fewestPhotos, influenceDefaults, influenceFile } from '../features/influence/request.ts';
import type { JobHandling } from '../jobs/kind.ts';
import type { Handlers, StudioContext, Surroundings } from './context.ts';
import { photosPlace } from './training/runPhotos.ts';

export function influenceHandlers({ library, queue }: StudioContext): Handlers<'influence'> {
  const { runs, subjects, photos, folder } = library;
  const photoOf = (
    runId: number,
    { name, subject: shown }: PhotoInfluence,
  ): { id: number; subjectId: number } | null => {
    const { subjectId, settings } = runs.get(runId);
    const isFirst = shown === `${settings.token} ${settings.classNoun}`;
    const owner = isFirst
      ? subjectId
      : subjects.list().find(({ token, classNoun }) => shown === `${token} ${classNoun}`)?.id;
    if (owner === undefined) return null;
    // A run's own copy may have another ending.
    const stem = path.parse(name).name;
    const photo = photos.list(owner).find((one) => path.parse(one.name).name === stem);
    return photo ? { id: photo.id, subjectId: owner } : null;
  };
  return {
    'influence.get': async ({ runId }) => {
      const run = folder.at(runs.get(runId).folder);
      // What can't be read is measured again.
      const report = readKept(path.join(run, influenceFile), influenceReportSchema);
      return {
        report: report
          ? {
              ...report,
              photos: report.photos.map((one) => ({ ...one, photo: photoOf(runId, one) })),
            }
          : null,
        cost: await costHere(run),
      };
    },
    'influence.start': ({ runId }) => {
      const { subjectId } = runs.get(runId);
      const title = `Checking the photos of ${subjects.get(subjectId).name}`;
      return { jobId: queue.add({ kind: 'influence', title, input: {}, subjectId, runId }).id };
    },
  };
}

/** Measuring as a job: short runs that were done before an interruption are not done again. */
export function influenceJob({
  library: { runs, folder, settings },
  emit,
}: Surroundings): JobHandling<'influence'> {
  const placeOf = (runId: number | null): string => folder.at(runs.get(runId ?? 0).folder);
  return {
    task: ({ runId }) => ({
      run: placeOf(runId),
      noises: influenceDefaults.noises,
      provider: settings.get().provider,
    }),
    kept: ({ runId }) => {
      const place = path.join(placeOf(runId), path.dirname(influenceFile));
      const names = existsSync(place) ? readdirSync(place, { recursive: true, encoding: 'utf8' }) : [];
      const done = names.filter((name) => name.endsWith('.safetensors') && !/(^|[\\/])\./.test(name)).length;
      return done > 0 ? 'The short runs done so far are kept' : undefined;
    },
    done: ({ runId }) => emit('influence.changed', { runId: runId ?? 0 }),
  };
}

async function costHere(run: string): Promise<ReturnType<typeof costOf> | null> {
  if (!RunFolder.exists(run)) return null;
  const { settings } = new RunFolder(run).describe();
  let photos = 0;
  for (const i of eachSubject(settings).keys()) {
    const own = (await listPictures(path.join(run, photosPlace(i))).catch(() => [])).length;
    if (own < fewestPhotos) return null;
    photos += own;
  }
  return costOf({ run, noises: influenceDefaults.noises }, settings, photos);
}
