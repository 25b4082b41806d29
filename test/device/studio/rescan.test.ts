import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { finetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import { RunFolder } from '../../../src-main/engine/training/run/runFolder.ts';
import { newRunFolder } from '../../../src-main/studio/training/runPhotos.ts';
import type { Run } from '../../../src-shared/domain/run.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import { openedStudio, type OpenedStudio } from './openedStudio.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-rescan-'));
let root = '';
let studio: OpenedStudio;
let subject: Subject;
let run: Run;

/** A run as training leaves it: steps 2 and 4 of 4, and a sample. */
function makeRun(place: string): void {
  const model = 'models/likeness-mini';
  const folder = new RunFolder(path.join(root, place));
  const settings = completeSettings(
    finetuneSettings,
    { classNoun: 'bear', steps: 4, checkpointEvery: 2 },
    { model, size: 128 },
  );
  const createdAt = '2026-11-01T10:00:00.000Z';
  const modelHash = studio.library.models.shipped()?.hash ?? '';
  folder.create({ kind: 'finetune', version: '1', createdAt, modelHash, settings });
  for (const step of [2, 4]) {
    folder.saveCheckpoint(step, (checkpoint) => writeFileSync(path.join(checkpoint, 'weights'), 'x'));
    folder.log({ type: 'step', step, loss: 1 / step, seconds: 1 });
  }
  writeFileSync(folder.samplePath(4), 'a picture');
}

async function addPicture(name: string): Promise<void> {
  const noise = Buffer.from(Array.from({ length: 192 }, (_, i) => (i * 37 + name.length * 11) % 256));
  await sharp(noise, { raw: { width: 8, height: 8, channels: 3 } })
    .png()
    .toFile(path.join(root, 'pictures', name));
}

beforeEach(async () => {
  root = path.join(mkdtempSync(path.join(scratch, 'home-')), 'library');
  studio = await openedStudio(root);
  // The search of the start is over before there is something to find.
  await studio.ask('library.rescan', {});
  subject = await studio.ask('subjects.createSample', {});
  subject = await studio.ask('subjects.update', {
    id: subject.id,
    name: 'Bruno',
    classNoun: 'bear',
    token: 'zwx',
  });
  makeRun(`${subject.folder}/runs/first`);
  await addPicture('one.png');
  expect(await studio.ask('library.rescan', {})).toEqual({ added: 2, moved: 0, missing: 0 });
  [run] = (await studio.ask('training.runs', {})) as [Run];
});
afterEach(() => studio.close());
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const photos = async (): Promise<Record<string, boolean>> => {
  const { photos: list } = await studio.ask('photos.list', { subjectId: subject.id });
  return Object.fromEntries(list.map(({ name, missing }) => [name, missing]));
};

it('what a start of training leaves that is cut off goes; what somebody put there stays', async () => {
  const runs = path.join(root, subject.folder, 'runs');
  const photosIn = (name: string): string => path.join(runs, name, 'photos');
  for (const name of ['cut off', 'somebody’s', `.being made.${process.pid}.tmp`])
    cpSync(path.join(root, subject.folder, 'photos'), photosIn(name), { recursive: true });
  writeFileSync(path.join(runs, 'somebody’s', 'notes.txt'), 'mine');
  await studio.ask('library.rescan', {});
  expect(readdirSync(runs).sort()).toEqual([`.being made.${process.pid}.tmp`, 'first', 'somebody’s']);
  expect(await studio.ask('training.runs', {})).toHaveLength(1);
});

it('a start of training that can not be recorded leaves nothing', async () => {
  const begun = newRunFolder(studio.library, [subject], (folder) => {
    expect(readdirSync(path.join(root, folder, 'photos'))).toHaveLength(5);
    throw new Error('the disk is full');
  });
  await expect(begun).rejects.toThrow('the disk is full');
  expect(readdirSync(path.join(root, subject.folder, 'runs'))).toEqual(['first']);
});

it('a run in the folder joins with its checkpoints, samples, losses and model', async () => {
  expect(run).toMatchObject({
    state: 'done',
    step: 4,
    loss: 0.25,
    checkpoints: 2,
    modelName: 'Likeness mini',
  });
  const { checkpoints, curve } = await studio.ask('training.run', { id: run.id });
  expect(checkpoints.map(({ step, sample }) => [step, sample])).toEqual([
    [2, false],
    [4, true],
  ]);
  expect(curve.steps).toEqual([2, 4]);
});

it('photos that were renamed, taken out and put in by hand are found so', async () => {
  const place = path.join(root, subject.folder, 'photos');
  const [a = '', b = ''] = readdirSync(place).sort();
  renameSync(path.join(place, a), path.join(place, 'nice name.jpg'));
  renameSync(path.join(place, b), path.join(scratch, b));
  await sharp({ create: { width: 600, height: 500, channels: 3, background: 'green' } })
    .png()
    .toFile(path.join(place, 'added.png'));
  expect(await studio.ask('library.rescan', {})).toEqual({ added: 1, moved: 1, missing: 1 });
  expect(await photos()).toMatchObject({ 'nice name.jpg': false, 'added.png': false, [b]: true });
  expect(studio.told).toContain('photos.changed');
  renameSync(path.join(scratch, b), path.join(place, b));
  expect(await studio.ask('library.rescan', {})).toEqual({ added: 0, moved: 0, missing: 0 });
  expect((await photos())[b]).toBe(false);
});

it('a subject whose folder was renamed is the same one, with its runs; a copy is another', async () => {
  const copy = path.join(root, 'subjects/copy');
  cpSync(path.join(root, subject.folder), copy, { recursive: true });
  expect(await studio.ask('library.rescan', {})).toMatchObject({ missing: 0 });
  const found = await studio.ask('subjects.list', {});
  expect(found.map(({ name, folder, photos: count, runs }) => [name, folder, count, runs])).toEqual([
    ['Bruno', 'subjects/copy', 5, 1],
    ['Bruno', subject.folder, 5, 1],
  ]);
  rmSync(copy, { recursive: true });
  await studio.ask('subjects.remove', { id: found[0]?.id ?? 0 });

  renameSync(path.join(root, subject.folder), path.join(root, 'subjects/renamed'));
  expect(await studio.ask('library.rescan', {})).toEqual({ added: 0, moved: 1, missing: 0 });
  expect(await studio.ask('subjects.list', {})).toMatchObject([
    { id: subject.id, folder: 'subjects/renamed', photos: 5 },
  ]);
  expect(await studio.ask('training.runs', {})).toMatchObject([
    { id: run.id, folder: 'subjects/renamed/runs/first', state: 'done' },
  ]);
});

it('a run whose folder is gone says so, keeps its scores, and is itself again when it is back', async () => {
  const place = path.join(root, run.folder);
  renameSync(place, path.join(scratch, 'away'));
  expect(await studio.ask('library.rescan', {})).toMatchObject({ missing: 1 });
  expect(await studio.ask('training.runs', {})).toMatchObject([
    { state: 'failed', error: { code: 'run.away' }, checkpoints: 2 },
  ]);
  renameSync(path.join(scratch, 'away'), place);
  await studio.ask('library.rescan', {});
  expect(await studio.ask('training.runs', {})).toMatchObject([{ state: 'done', error: null, step: 4 }]);
});

it('a library that lost its database is made again from its folder', async () => {
  await studio.close();
  writeFileSync(path.join(root, 'library.sqlite'), 'nothing that can be read');
  rmSync(path.join(root, 'library.sqlite-wal'), { force: true });
  studio = await openedStudio(root);
  expect(await studio.ask('subjects.list', {})).toMatchObject([
    { name: 'Bruno', classNoun: 'bear', token: 'zwx', photos: 5, runs: 1, sample: true },
  ]);
  expect(await studio.ask('training.runs', {})).toMatchObject([{ state: 'done', checkpoints: 2 }]);
  // Pictures are looked for while the window is open already; who asks waits for it.
  await studio.ask('library.rescan', {});
  expect(await studio.ask('gallery.ids', {})).toHaveLength(1);
  expect((await studio.ask('library.get', {})).notices.map(({ code }) => code)).toContain('library.rebuilt');
});

it('pictures by the hundred are found, moved, missed and found again, some of them in the trash', async () => {
  const place = path.join(root, 'pictures');
  const [first = 0] = await studio.ask('gallery.ids', {});
  for (let i = 0; i < 100; i++) await addPicture(`many ${'x'.repeat(i)}.png`);
  // The same bytes in two files are two pictures.
  for (const copy of ['again.png', 'once more.png'])
    cpSync(path.join(place, 'one.png'), path.join(place, copy));
  writeFileSync(path.join(place, 'broken.png'), 'half of a pict');
  expect(await studio.ask('library.rescan', {})).toEqual({ added: 102, moved: 0, missing: 0 });
  expect(studio.told.filter((event) => event === 'gallery.added')).toHaveLength(103);
  await studio.ask('gallery.remove', { ids: [first] });
  await studio.ask('gallery.favourite', { ids: await studio.ask('gallery.ids', {}), favourite: true });

  const away = path.join(scratch, 'pictures away');
  renameSync(place, away);
  expect(await studio.ask('library.rescan', {})).toMatchObject({ missing: 102 });
  expect(await studio.ask('gallery.ids', {})).toEqual([]);
  mkdirSync(path.join(place, 'in', 'here'), { recursive: true });
  for (const name of readdirSync(away).filter((one) => one.startsWith('many')))
    renameSync(path.join(away, name), path.join(place, 'in', 'here', name));
  renameSync(path.join(away, 'again.png'), path.join(place, 'again.png'));
  renameSync(path.join(away, 'once more.png'), path.join(place, 'in', 'once.png'));
  expect(await studio.ask('library.rescan', {})).toEqual({ added: 0, moved: 101, missing: 0 });
  expect(await studio.ask('gallery.ids', { filter: { favourite: true } })).toHaveLength(102);
  expect(await studio.ask('library.rescan', {})).toEqual({ added: 0, moved: 0, missing: 0 });
});

it('two searches at once bring nothing in twice', async () => {
  for (let i = 0; i < 40; i++) await addPicture(`more ${'x'.repeat(i)}.png`);
  const found = await Promise.all([studio.ask('library.rescan', {}), studio.ask('library.rescan', {})]);
  expect(found.map(({ added }) => added)).toEqual([40, 0]);
  expect(await studio.ask('gallery.ids', {})).toHaveLength(41);
});

it('a library that was moved is whole; one that is moved away while open is told and not made a second time', async () => {
  await studio.close();
  const moved = `${root}-moved`;
  renameSync(root, moved);
  studio = await openedStudio(moved);
  expect(await photos()).toMatchObject({ '00.jpg': false });
  expect(await studio.ask('gallery.ids', {})).toHaveLength(1);

  renameSync(moved, root);
  expect((await studio.ask('library.get', {})).notices.map(({ code }) => code)).toEqual([
    'library.movedAway',
  ]);
  await expect(studio.ask('subjects.create', { name: 'Cat' })).rejects.toThrow(
    /has disappeared; put it back/,
  );
  expect(existsSync(moved)).toBe(false);
  while (!studio.told.includes('library.changed')) await new Promise((resolve) => setTimeout(resolve, 50));
  renameSync(root, moved);
  expect(await studio.ask('subjects.create', { name: 'Cat' })).toMatchObject({ folder: 'subjects/cat' });
});
