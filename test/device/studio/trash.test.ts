import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openedStudio } from './openedStudio.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-trash-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('what was removed is listed, survives a restart, comes back whole, and leaves when the trash is emptied', async () => {
  const root = path.join(scratch, 'library');
  const first = await openedStudio(root);
  await first.ask('library.rescan', {});
  const subject = await first.ask('subjects.createSample', {});
  const { photos } = await first.ask('photos.list', { subjectId: subject.id });
  const removed = photos.slice(0, 2);
  await first.ask('photos.remove', { ids: removed.map(({ id }) => id) });
  await first.close();

  const second = await openedStudio(root);
  const { removals, items } = await second.ask('trash.list', {});
  expect(items).toBe(2);
  expect(removals).toMatchObject([{ kind: 'photos', count: 2 }]);
  expect(Date.now() - (removals[0]?.removedAt ?? 0)).toBeLessThan(600_000);
  const [{ undo } = { undo: '' }] = removals;
  await second.ask('trash.undo', { undo });
  const { photos: back } = await second.ask('photos.list', { subjectId: subject.id });
  expect(back.map(({ name }) => name).sort()).toEqual(photos.map(({ name }) => name).sort());
  expect((await second.ask('trash.list', {})).removals).toEqual([]);

  const folder = second.library.folder.at(subject.folder);
  await second.ask('subjects.remove', { id: subject.id });
  expect((await second.ask('trash.list', {})).removals).toMatchObject([
    { kind: 'subjects', name: subject.name, count: 1 },
  ]);
  expect(existsSync(folder)).toBe(true);
  await second.ask('trash.empty', {});
  expect(existsSync(folder)).toBe(false);
  expect(await second.ask('trash.list', {})).toEqual({ removals: [], items: 0 });
  await second.close();
});

it('every kind of thing comes back after a restart, and the window is told', async () => {
  const root = path.join(scratch, 'kinds');
  const first = await openedStudio(root);
  const { library } = first;
  const subject = await first.ask('subjects.createSample', {});
  const project = await first.ask('projects.create', { name: 'Kitchen' });
  const model = library.models.shipped();
  const [preset] = await first.ask('training.presets', { subjectId: subject.id, modelId: null });
  if (!model || !preset) throw new Error('no model, no preset');
  const run = library.runs.create({
    ...{
      subjectId: subject.id,
      name: 'Quick',
      folder: library.folder.claim(`${subject.folder}/runs`, 'Quick'),
    },
    ...{ modelId: model.id, modelName: model.name, settings: preset.settings, state: 'done' },
  });
  const made = [100, 200].map((step) =>
    library.exports.add({
      ...{ runId: run.id, step, format: 'peft', path: `exports/rex ${step}` },
      ...{ bytes: 1, tensors: 1, maxError: 0 },
    }),
  );
  const image = library.images.add({
    ...{ file: 'pictures/1.png', hash: 'a', bytes: 1, width: 8, height: 8, prompt: 'a dog', seed: 1 },
    ...{ subjectId: subject.id, runId: run.id, step: 100, recipe: null },
  });
  const [photo] = (await first.ask('photos.list', { subjectId: subject.id })).photos;
  await first.ask('exports.remove', { id: made[1]?.id ?? 0 });
  await first.ask('gallery.remove', { ids: [image.id] });
  await first.ask('photos.remove', { ids: [photo?.id ?? 0] });
  await first.ask('training.remove', { id: run.id });
  await first.ask('subjects.remove', { id: subject.id });
  await first.ask('projects.remove', { id: project.id });
  await first.close();

  const second = await openedStudio(root);
  const { removals } = await second.ask('trash.list', {});
  expect(removals.map(({ kind }) => kind).sort()).toEqual(
    ['exports', 'images', 'photos', 'projects', 'runs', 'subjects'].sort(),
  );
  for (const { undo } of removals) await second.ask('trash.undo', { undo });
  expect(new Set(second.told)).toEqual(
    new Set([
      ...['projects.changed', 'subjects.changed', 'photos.changed', 'training.changed'],
      ...['exports.changed', 'gallery.changed'],
    ]),
  );
  expect((await second.ask('exports.list', {})).map(({ step }) => step)).toEqual([200, 100]);
  expect(await second.ask('gallery.ids', {})).toEqual([image.id]);
  expect(await second.ask('training.runs', {})).toHaveLength(1);
  expect((await second.ask('trash.list', {})).items).toBe(0);
  await second.close();
});
