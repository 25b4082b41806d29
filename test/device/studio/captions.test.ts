import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { layOutPhotos } from '../../../src-main/studio/training/runPhotos.ts';
import type { Photo } from '../../../src-shared/domain/photo.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import { openedStudio, type OpenedStudio } from './openedStudio.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-captions-'));
let studio: OpenedStudio;
let subject: Subject;
let photo: Photo;

const list = async () => (await studio.ask('photos.list', { subjectId: subject.id })).photos;
const fileOf = (name: string) => path.join(studio.library.folder.photos(subject), name);

beforeEach(async () => {
  studio = await openedStudio(path.join(mkdtempSync(path.join(scratch, 'home-')), 'library'));
  await studio.ask('library.rescan', {});
  subject = await studio.ask('subjects.createSample', {});
  [photo] = (await list()) as [Photo];
});
afterEach(() => studio.close());
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('a caption is kept beside its photo, on one line, and goes when it is emptied', async () => {
  expect(photo.caption).toBeNull();
  const beside = fileOf(`${path.parse(photo.name).name}.txt`);
  const set = (caption: string) => studio.ask('photos.setCaption', { id: photo.id, caption });
  expect(await set(' {token} {class}\n on a rug ')).toMatchObject({ caption: '{token} {class} on a rug' });
  expect(readFileSync(beside, 'utf8')).toBe('{token} {class} on a rug\n');
  writeFileSync(beside, 'written elsewhere');
  expect((await list())[0]?.caption).toBe('written elsewhere');
  expect(await set(' ')).toMatchObject({ caption: null });
  expect(existsSync(beside)).toBe(false);
});

it('captions come along with photos that are added, and with the photos of a run', async () => {
  const source = mkdtempSync(path.join(scratch, 'source-'));
  const ending = path.extname(photo.name);
  const [added, caption] = [path.join(source, `new${ending}`), path.join(source, 'new.txt')];
  cpSync(fileOf(photo.name), added);
  // Other bytes, so that it is no duplicate.
  writeFileSync(added, Buffer.concat([readFileSync(added), Buffer.from('more')]));
  writeFileSync(caption, 'a {class} of its own');
  const asked = { subjectId: subject.id, paths: [added, caption] };
  expect(await studio.ask('photos.addPaths', asked)).toMatchObject({
    added: [{ caption: 'a {class} of its own' }],
    refused: [],
  });
  await layOutPhotos(studio.library, subject, 'run-of-test');
  const told = path.join(studio.library.folder.at('run-of-test'), 'photos', 'new.txt');
  expect(readFileSync(told, 'utf8')).toBe('a {class} of its own');
});
