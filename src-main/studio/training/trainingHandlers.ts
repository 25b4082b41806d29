import { existsSync } from 'node:fs';
import { problem } from '../../../src-shared/messages/index.ts';
import { trainingSettings, withoutIdlePrior } from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import type { Run } from '../../../src-shared/domain/run.ts';
import { capsuleFile, RunFolder } from '../../engine/training/run/runFolder.ts';
import { listPhotos } from '../../engine/training/data/photoFolder.ts';
import type { StoredModel } from '../../storage/models.ts';
import type { Handlers, StudioContext } from '../context.ts';
import { lossCurve } from './lossCurve.ts';
import { nextDryRun } from './measureJob.ts';
import { presetsFor } from './presets.ts';
import { trainingRoom, type Room } from './room.ts';
import { readRerun, writeRerun } from './rerunFile.ts';
import { trainInputOf, type TrainInput } from './trainJob.ts';
import { copiedRunFolder, newRunFolder } from './runPhotos.ts';
import { presentModel } from '../presentModel.ts';

export function trainingHandlers({ library, queue, emit }: StudioContext): Handlers<'training'> {
  const { subjects, runs, checkpoints, models, folder, trash } = library;
  const announced = (run: Run): Run => {
    emit('training.changed', run);
    return run;
  };
  const modelOf = (id: number | null): StoredModel => {
    const model = id === null ? models.shipped() : models.get(id);
    if (!model) throw problem('model.away', { path: 'models/likeness-mini' });
    return presentModel(model);
  };
  /** A run is not kept waiting by a dry run, which could tell nothing more about it: its settings are chosen. */
  const endDryRuns = (subjectId: number): void => {
    for (const state of ['queued', 'running'] as const)
      for (const job of library.jobs.inState(state))
        if (job.kind === 'measure' && job.subjectId === subjectId) queue.cancel(job.id);
  };
  const enqueue = (run: Run, input: TrainInput = trainInputOf()): Run => {
    const { name } = subjects.get(run.subjectId);
    endDryRuns(run.subjectId);
    queue.add({
      kind: 'train',
      title: `Training ${name}`,
      input,
      subjectId: run.subjectId,
      runId: run.id,
    });
    return announced(runs.get(run.id));
  };
  /** Subjects that one run can tell apart. Errors: `subject.noClass`, `training.sameToken`. */
  const together = (ids: readonly number[]): [Subject, ...Subject[]] => {
    const [first, ...others] = [...new Set(ids)].map((id) => subjects.get(id));
    if (!first) throw problem('library.gone', { what: 'subject' });
    const all = [first, ...others] as const;
    for (const { name, classNoun, token } of all) {
      if (!classNoun) throw problem('subject.noClass', { name });
      if (all.filter((other) => other.token === token).length > 1)
        throw problem('training.sameToken', { token });
    }
    return [first, ...others];
  };
  const room = (): Promise<Room> => trainingRoom(library.settings.get().provider);
  return {
    'training.presets': async ({ subjectId, otherSubjectIds, modelId, changes, ownClass }) => {
      const others = otherSubjectIds.map((id) => subjects.get(id));
      const asked = { changes, others, ownClass };
      return presetsFor(subjects.get(subjectId), modelOf(modelId), library, await room(), asked);
    },
    'training.measure': async ({ subjectId, modelId, changes }) => {
      const model = modelOf(modelId);
      const { name, photos } = subjects.get(subjectId);
      if (photos === 0) throw problem('photos.tooFew', { name });
      const job = await nextDryRun({ library }, subjectId, model.id, changes);
      if (!job) throw problem('training.measured', { model: model.name });
      return { jobId: queue.add(job).id };
    },
    'training.start': async ({ subjectId, otherSubjectIds, modelId, preset, classPhotos, ...said }) => {
      const { changes = {}, name, until } = said;
      const all = together([subjectId, ...otherSubjectIds]);
      const [subject, ...others] = all;
      const model = modelOf(modelId);
      const ownClass = classPhotos !== null;
      if (ownClass) {
        await listPhotos(classPhotos, 'class');
        const classes = new Set(all.map(({ classNoun }) => classNoun));
        if (classes.size > 1)
          throw problem('training.severalClasses', { folder: classPhotos, classes: [...classes].join(', ') });
      }
      const presets = presetsFor(subject, model, library, await room(), { others, ownClass });
      const chosen = presets.find((one) => one.name === preset);
      if (!chosen) throw problem('library.gone', { what: 'preset' });
      // Who brings pictures of the class wants them used, whatever the preset says.
      const isOff = !changes.prior && chosen.settings.prior === null;
      const asked = ownClass && isOff ? { ...changes, prior: { weight: 1 } } : changes;
      const settings = withoutIdlePrior(completeSettings(trainingSettings, asked, chosen.settings));
      const named = all.map((one) => one.name).join(' + ');
      const run = await newRunFolder(library, all, (place) =>
        runs.create({
          subjectId,
          name: name ?? `${named} ${runs.list(subjectId).length + 1}`.slice(-80),
          folder: place,
          modelId: model.id,
          modelName: model.name,
          settings,
        }),
      );
      emit('subjects.changed', subjects.get(subjectId));
      return enqueue(run, { until, classPhotos });
    },
    'training.runs': ({ subjectId }) => runs.list(subjectId),
    'training.run': ({ id }) => {
      const run = runs.get(id);
      const place = folder.at(run.folder);
      const samples = new RunFolder(place).sampleSteps();
      const again = readRerun(place);
      const rerun = again
        ? { name: again.name, same: again.same ?? null, changed: again.changed ?? [] }
        : null;
      return { run, checkpoints: checkpoints.list(id), samples, curve: lossCurve(place), rerun };
    },
    'training.resume': ({ id, steps }) => {
      const run = runs.get(id);
      if (queue.isBusy({ runId: id })) throw problem('run.busy', { name: run.name });
      const before = library.jobs.list().find(({ kind, runId }) => kind === 'train' && runId === id);
      if (steps === undefined) return enqueue(run, trainInputOf(before));
      return enqueue(runs.change(id, { settings: { ...runs.settingsOf(id), steps } }));
    },
    'training.rerun': ({ id }) => {
      const run = runs.get(id);
      if (run.state !== 'done') throw problem('run.notDone', { name: run.name });
      if (!existsSync(folder.at(run.folder, capsuleFile))) throw problem('capsule.none', { name: run.name });
      const { subjectId, modelId, modelName } = run;
      const place = copiedRunFolder(library, subjects.get(subjectId), run.folder);
      const name = `${run.name}, again`.slice(0, 80);
      const made = runs.create({
        ...{ subjectId, name, folder: place, modelId, modelName, settings: runs.settingsOf(id) },
      });
      writeRerun(folder.at(place), { of: run.folder, name: run.name });
      emit('subjects.changed', subjects.get(subjectId));
      return enqueue(made);
    },
    'training.rename': ({ id, name }) => announced(runs.change(id, { name })),
    'training.pick': ({ id, step }) => {
      const run = runs.get(id);
      if (step !== null && !checkpoints.list(id).some((one) => one.step === step))
        throw problem('run.noCheckpoint', { folder: run.name, wanted: String(step) });
      return announced(runs.change(id, { pickedStep: step }));
    },
    'training.remove': ({ id }) => {
      const { name, subjectId } = runs.get(id);
      if (queue.isBusy({ runId: id })) throw problem('run.busy', { name });
      const undo = trash.remove('runs', [id]);
      emit('training.removed', { id });
      emit('subjects.changed', subjects.get(subjectId));
      return { undo };
    },
  };
}
