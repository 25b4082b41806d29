import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import { openedStudio, type OpenedStudio } from './openedStudio.ts';

const heic = fileURLToPath(new URL('../../golden/fixtures/heic/', import.meta.url));
const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-phone-'));
let root = '';
let studio: OpenedStudio;
let subject: Subject;

beforeEach(async () => {
  root = path.join(mkdtempSync(path.join(scratch, 'home-')), 'library');
  studio = await openedStudio(root);
  await studio.ask('library.rescan', {});
  subject = await studio.ask('subjects.createSample', {});
});
afterEach(() => studio.close());
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const photosFolder = (): string => path.join(root, subject.folder, 'photos');

it('a HEIC photo joins as one that every browser shows, once', async () => {
  const paths = [`${heic}turned.heic`];
  const { added, refused } = await studio.ask('photos.addPaths', { subjectId: subject.id, paths });
  expect(refused).toEqual([]);
  expect(added).toMatchObject([{ name: 'turned.jpg', width: 48, height: 64, hasMask: false }]);
  expect((await sharp(path.join(photosFolder(), 'turned.jpg')).metadata()).format).toBe('jpeg');
  const again = await studio.ask('photos.addPaths', { subjectId: subject.id, paths });
  expect(again).toMatchObject({ added: [], duplicates: [{ name: 'turned.heic' }] });
});

it('what is opaque of a photo that is transparent in part becomes its mask', async () => {
  const paths = [`${heic}alpha.heic`];
  const { added } = await studio.ask('photos.addPaths', { subjectId: subject.id, paths });
  expect(added).toMatchObject([{ name: 'alpha.png', hasMask: true }]);
  const masks = path.join(root, subject.folder, 'masks');
  const drawn = await sharp(path.join(masks, readdirSync(masks)[0] ?? ''))
    .greyscale()
    .raw()
    .toBuffer();
  expect([drawn[0], drawn.at(-1)]).toEqual([255, 0]);
});

it('a HEIC photo that is put into the folder joins, and the file itself is kept', async () => {
  copyFileSync(`${heic}plain.heic`, path.join(photosFolder(), 'phone.heic'));
  await studio.ask('library.rescan', {});
  const { photos } = await studio.ask('photos.list', { subjectId: subject.id });
  expect(photos.map(({ name }) => name)).toContain('phone.jpg');
  expect(readdirSync(path.join(photosFolder(), '.originals'))).toEqual(['phone.heic']);
  await studio.ask('library.rescan', {});
  expect((await studio.ask('photos.list', { subjectId: subject.id })).photos).toHaveLength(photos.length);
});
