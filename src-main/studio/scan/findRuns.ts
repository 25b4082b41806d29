import { existsSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { trainingSettingsOf } from '../../../src-shared/domain/finetuneSettings.ts';
import type { Run } from '../../../src-shared/domain/run.ts';
import { orNothing } from '../../../src-shared/orNothing.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { hasHash, isFormer } from '../../engine/checkpoints/modelHash.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import type { Found, StudioContext } from '../context.ts';
import { lossCurve } from '../training/lossCurve.ts';
import { isUnrecorded } from '../training/runPhotos.ts';

/**
 * Scans the subjects' `runs/`. Leftovers of an interrupted start are removed. Unknown runs are added with their checkpoints and
 * samples. Runs whose folder is gone say so, and can be resumed when it is back. Runs with a job are left alone.
 */
export async function findRuns({
  library,
  emit,
  queue,
}: Pick<StudioContext, 'library' | 'emit' | 'queue'>): Promise<Found> {
  const { subjects, runs, models, checkpoints, folder } = library;
  const found = { added: 0, moved: 0, missing: 0 };
  for (const subject of subjects.list()) {
    const entries = await readdir(folder.at(subject.folder, 'runs'), { withFileTypes: true }).catch(() => []);
    // No await from here on: a run that begins now is in both lists or in neither.
    const taken = new Set(runs.folders());
    const names = entries
      .filter((one) => one.isDirectory() && !one.name.startsWith('.'))
      .map(({ name }) => name);
    for (const name of names.sort()) {
      const place = `${subject.folder}/runs/${name}`;
      if (taken.has(place) || !existsSync(folder.at(place))) continue;
      if (isUnrecorded(folder.at(place))) {
        rmSync(folder.at(place), { recursive: true, force: true });
        continue;
      }
      // Without a description it is damaged, or a distillation: not a run of a subject.
      const run = new RunFolder(folder.at(place));
      const description = RunFolder.exists(run.path) ? orNothing(() => run.describe()) : undefined;
      if (!description) continue;
      const { settings, modelHash, createdAt } = description;
      const model = models.list().find((one) => one.hash === modelHash || isOlderHashOf(modelHash, one.path));
      const { id } = runs.create({
        subjectId: subject.id,
        name: `${subject.name} ${name}`,
        folder: place,
        modelId: model?.id ?? null,
        modelName: model?.name ?? path.basename(settings.model),
        settings: trainingSettingsOf(settings),
        createdAt: Date.parse(createdAt) || Date.now(),
      });
      takeUp(library, runs.get(id));
      found.added++;
      emit('training.changed', runs.get(id));
    }
  }
  for (const run of runs.list()) {
    if (queue.isBusy({ runId: run.id })) continue;
    const here = existsSync(folder.at(run.folder));
    const wasAway = run.error?.code === 'run.away';
    if (!here) found.missing++;
    const waits = run.state === 'queued' || run.state === 'running' || run.state === 'paused';
    // A run that waits without a job: the studio ended between creating the two.
    if (here !== wasAway && !(here && waits)) continue;
    if (here) takeUp(library, run);
    else {
      const { code, message } = problem('run.away', { name: run.name, folder: run.folder });
      runs.change(run.id, { state: 'failed', error: { code, message } });
    }
    emit('training.changed', runs.get(run.id));
  }
  for (const run of runs.list()) {
    const folderOfRun = new RunFolder(folder.at(run.folder));
    for (const { step, sample } of checkpoints.list(run.id))
      if (!sample && existsSync(folderOfRun.samplePath(step))) checkpoints.setSample(run.id, step);
  }
  return found;
}

/** Older runs have a hash made by another rule than that of the library's models. */
function isOlderHashOf(hash: string, model: string): boolean {
  return isFormer(hash) && (orNothing(() => hasHash(openModel(model), hash)) ?? false);
}

/** Reads a run's state from its folder. */
function takeUp(
  { runs, checkpoints, folder }: StudioContext['library'],
  { id, folder: place, settings }: Run,
): void {
  const steps = new RunFolder(folder.at(place)).checkpointSteps();
  const { losses } = lossCurve(folder.at(place));
  const step = steps.at(-1) ?? 0;
  checkpoints.keepOnly(id, steps);
  runs.change(id, {
    state: step >= settings.steps ? 'done' : 'cancelled',
    step,
    loss: losses.at(-1) ?? null,
    error: null,
    finishedAt: Date.now(),
  });
}
