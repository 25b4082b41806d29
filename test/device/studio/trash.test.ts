import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, it } from 'vitest';
import { openedStudio } from './openedStudio.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-trash-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const plainPicture = (): Promise<Buffer> =>
  sharp({ create: { width: 8, height: 8, channels: 3, background: '#888' } })
    .png()
    .toBuffer();

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
  // There, so that a look at the library's folder does not miss it, however soon that comes.
  writeFileSync(path.join(library.folder.make('pictures'), '1.png'), await plainPicture());
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

it('an export stays, by its name, when its run or its subject goes for good', async () => {
  const studio = await openedStudio(path.join(scratch, 'exports'));
  const { library } = studio;
  const subject = await studio.ask('subjects.createSample', {});
  const [preset] = await studio.ask('training.presets', { subjectId: subject.id, modelId: null });
  if (!preset) throw new Error('no preset');
  const runs = ['First', 'Second'].map((name) =>
    library.runs.create({
      ...{ subjectId: subject.id, name, folder: library.folder.claim(`${subject.folder}/runs`, name) },
      ...{ modelId: null, modelName: 'mini', settings: preset.settings, state: 'done' },
    }),
  );
  for (const { id, name } of runs)
    library.exports.add({
      ...{ runId: id, step: 100, format: 'peft', path: `exports/${name}`, bytes: 1, tensors: 1, maxError: 0 },
    });
  const named = { subjectName: subject.name, modelName: 'mini' };
  await studio.ask('training.remove', { id: runs[0]?.id ?? 0 });
  await studio.ask('trash.empty', {});
  expect(await studio.ask('exports.list', {})).toMatchObject([
    { ...named, runId: runs[1]?.id, runName: 'Second' },
    { ...named, runId: null, runName: 'First' },
  ]);
  await studio.ask('subjects.remove', { id: subject.id });
  await studio.ask('trash.empty', {});
  expect(await studio.ask('exports.list', {})).toMatchObject([
    { ...named, runId: null, runName: 'Second' },
    { ...named, runId: null, runName: 'First' },
  ]);
  await studio.close();
});
