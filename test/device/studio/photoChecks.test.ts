import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import path from 'node:path';
import Sqlite from 'better-sqlite3';
import sharp from 'sharp';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import type { StartWorker } from '../../../src-main/jobs/workerProcess.ts';
import { checkPhotos } from '../../../src-main/features/photos/photos.ts';
import { photoVariety } from '../../../src-main/features/photos/variety.ts';
import type { FromWorker } from '../../../src-main/features/tasks.ts';
import { scorerFiles } from '../../../src-main/shipped.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import { openedStudio, type OpenedStudio } from './openedStudio.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-checks-'));
let studio: OpenedStudio;
let subject: Subject;

beforeEach(async () => {
  studio = await openedStudio(path.join(mkdtempSync(path.join(scratch, 'home-')), 'library'));
  await studio.ask('library.rescan', {});
  subject = await studio.ask('subjects.createSample', {});
});
afterEach(() => studio.close());
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const looked = () => studio.ask('photos.list', { subjectId: subject.id });

it('the studio names the near-duplicates that the command line names', { timeout: 120_000 }, async () => {
  const { photos, report } = await looked();
  expect(report.marks.map(({ code }) => code)).not.toContain('duplicates');
  const [first] = photos;
  if (!first) throw new Error('the sample has no photos');
  const source = path.join(studio.library.folder.at(subject.folder, 'photos'), first.name);
  const folder = mkdtempSync(path.join(scratch, 'photos-'));
  copyFileSync(source, path.join(folder, first.name));
  const twin = path.join(folder, 'twin.jpg');
  await sharp(source).autoOrient().flop().modulate({ brightness: 1.02 }).jpeg({ quality: 80 }).toFile(twin);

  await studio.ask('photos.addPaths', { subjectId: subject.id, paths: [twin] });
  const mark = (await looked()).report.marks.find(({ code }) => code === 'duplicates');
  expect(mark?.message).toMatch(/nearly the same/);
  for (const name of [first.name, 'twin.jpg']) expect(mark?.message).toContain(name);

  const context = { report: () => undefined, signal: new AbortController().signal };
  const found = await checkPhotos({ folder, mobileNet: scorerFiles.mobileNet }, context);
  const told = found.advice.find(({ code }) => code === 'duplicates');
  expect(told?.message).toMatch(/nearly the same/);

  // It goes with the photo.
  const { photos: now } = await looked();
  await studio.ask('photos.remove', {
    ids: now.filter(({ name }) => name === 'twin.jpg').map(({ id }) => id),
  });
  expect((await looked()).report.marks.map(({ code }) => code)).not.toContain('duplicates');
});

let answers = 0;

/** Answers in this process what a worker would. */
const answering: StartWorker = () => {
  let heard: (message: FromWorker) => void = () => undefined;
  return {
    send: (message) => {
      if (message.type === 'variety')
        void photoVariety(message.request).then((variety) => {
          heard({ type: 'answer', variety });
          answers += 1;
        });
    },
    onMessage: (listener) => (heard = listener),
    onExit: () => undefined,
    kill: () => undefined,
  };
};

it('both doors say the same of photos that look alike, and of each', { timeout: 120_000 }, async () => {
  const root = studio.library.folder.root;
  const [photo] = (await looked()).photos;
  if (!photo) throw new Error('the sample has no photos');
  const source = path.join(studio.library.folder.at(subject.folder, 'photos'), photo.name);
  await studio.close();
  studio = await openedStudio(root, answering);

  const context = { report: () => undefined, signal: new AbortController().signal };
  const codes = (marks: readonly { code: string }[]) => marks.map(({ code }) => code);
  /** Four views of one scene, `step` pixels apart; the last one `blur` pixels out of focus. Returns what both doors say. */
  const look = async (step: number, blur: number) => {
    const folder = mkdtempSync(path.join(scratch, 'views-'));
    for (const i of [0, 1, 2, 3])
      await sharp(source)
        .extract({ left: 60 + i * step, top: 60, width: 380, height: 380 })
        .resize(700, 520)
        .blur(i === 3 ? blur : 0.5)
        .jpeg()
        .toFile(path.join(folder, `${i}.jpg`));
    const { id: subjectId } = await studio.ask('subjects.create', { name: 'Views', classNoun: 'bear' });
    await studio.ask('photos.addPaths', { subjectId, paths: [folder] });
    const list = () => studio.ask('photos.list', { subjectId });
    const before = answers;
    await list();
    while (answers === before) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { photos, report } = await list();
    const told = await checkPhotos({ folder, mobileNet: scorerFiles.mobileNet }, context);
    const each = told.photos.map(({ advice }) => codes(advice));
    const ofSet = codes(told.advice).slice(0, told.advice.length - each.flat().length);
    expect(codes(report.marks)).toEqual(ofSet);
    expect(photos.map(({ marks }) => codes(marks))).toEqual(each);
    return { ofSet, each };
  };
  expect((await look(12, 0.5)).ofSet).toEqual(['uniform']);
  // Out of focus at 512 pixels, sharp at 256.
  expect((await look(20, 3)).each[3]).toContain('blurred');
});

it('a remark about the square goes with a crop, and comes back without it', async () => {
  const [photo] = (await looked()).photos;
  if (!photo) throw new Error('the sample has no photos');
  const wide = path.join(scratch, 'wide.jpg');
  await sharp(path.join(studio.library.folder.at(subject.folder, 'photos'), photo.name))
    .resize(1500, 600, { fit: 'cover' })
    .toFile(wide);
  const { added } = await studio.ask('photos.addPaths', { subjectId: subject.id, paths: [wide] });
  const [{ id, marks } = { id: 0, marks: [] }] = added;
  expect(marks.map(({ code }) => code)).toContain('aspect');
  const cropped = await studio.ask('photos.setCrop', { id, crop: { x: 100, y: 20, side: 560 } });
  expect(cropped.marks.map(({ code }) => code)).not.toContain('aspect');
  const tiny = await studio.ask('photos.setCrop', { id, crop: { x: 0, y: 0, side: 100 } });
  expect(tiny.marks.find(({ code }) => code === 'small')?.message).toMatch(/crop is 100×100/);
  const whole = await studio.ask('photos.setCrop', { id, crop: null });
  expect(whole.marks).toEqual(marks);
});

it('the folder picker takes a file, a hidden folder, a link and ~', async () => {
  const place = mkdtempSync(path.join(scratch, 'list-'));
  mkdirSync(path.join(place, '.cache'));
  copyFileSync(import.meta.filename, path.join(place, 'model.safetensors'));
  const list = (asked: string, hidden = false) => studio.ask('system.list', { path: asked, hidden });
  const names = async (hidden: boolean) => (await list(place, hidden)).entries.map(({ name }) => name);
  expect(await names(false)).toEqual(['model.safetensors']);
  expect(await names(true)).toEqual(['.cache', 'model.safetensors']);
  const file = path.join(place, 'model.safetensors');
  expect(await list(file)).toMatchObject({ path: place, file });
  expect((await list('~')).path).toBe(os.homedir());
  await expect(list(path.join(place, 'nothing'))).rejects.toThrow(/no such file or folder/);

  const hub = path.join(place, '.cache');
  process.env.HF_HUB_CACHE = hub;
  try {
    expect((await list(place)).places).toContainEqual({ kind: 'hub', path: hub });
  } finally {
    delete process.env.HF_HUB_CACHE;
  }
});

it('a photo that an earlier preflight looked at is looked at again', { timeout: 120_000 }, async () => {
  const [photo] = (await looked()).photos;
  if (!photo) throw new Error('the sample has no photos');
  const root = studio.library.folder.root;
  await studio.close();
  // As it was left by one that saw no crop.
  const db = new Sqlite(path.join(root, 'library.sqlite'));
  const stale = JSON.stringify([{ code: 'aspect', level: 'warn', message: 'It is far from square.' }]);
  db.prepare('UPDATE photos SET marks = ?, marked_by = 0 WHERE id = ?').run(stale, photo.id);
  db.close();
  studio = await openedStudio(root);
  expect((await looked()).photos[0]?.marks.map(({ code }) => code)).toEqual(['aspect']);
  await studio.ask('library.rescan', {});
  expect((await looked()).photos[0]?.marks).toEqual(photo.marks);
});
