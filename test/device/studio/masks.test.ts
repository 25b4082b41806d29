import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import type { Photo } from '../../../src-shared/domain/photo.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import { layOutPhotos } from '../../../src-main/studio/training/runPhotos.ts';
import { openedStudio, type OpenedStudio } from './openedStudio.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-masks-'));
let root = '';
let studio: OpenedStudio;
let subject: Subject;
let photo: Photo;

beforeEach(async () => {
  root = path.join(mkdtempSync(path.join(scratch, 'home-')), 'library');
  studio = await openedStudio(root);
  await studio.ask('library.rescan', {});
  subject = await studio.ask('subjects.createSample', {});
  photo = (await photos())[0] as Photo;
});
afterEach(() => studio.close());
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const photos = async (): Promise<Photo[]> =>
  (await studio.ask('photos.list', { subjectId: subject.id })).photos;
const masks = (): string[] =>
  existsSync(path.join(root, subject.folder, 'masks'))
    ? readdirSync(path.join(root, subject.folder, 'masks'))
    : [];

/** A PNG of that size, white left of `edge`. */
async function leftOf(edge: number, { width, height }: Pick<Photo, 'width' | 'height'>): Promise<string> {
  const data = Uint8Array.from({ length: width * height }, (_, i) => (i % width < edge ? 255 : 0));
  const png = sharp(data, { raw: { width, height, channels: 1 } }).png();
  return (await png.toBuffer()).toString('base64');
}

it('a mask is kept beside the photos, replaced, and taken away', async () => {
  const first = await leftOf(100, photo);
  expect(await studio.ask('photos.setMask', { id: photo.id, data: first })).toMatchObject({ hasMask: true });
  expect(studio.told).toContain('photos.changed');
  const [name = ''] = masks();
  expect(name).toBe(`${path.parse(photo.name).name}-${photo.hash.slice(0, 12)}.png`);
  const second = await leftOf(200, photo);
  await studio.ask('photos.setMask', { id: photo.id, data: second });
  expect(masks()).toEqual([name]);
  expect(readFileSync(path.join(root, subject.folder, 'masks', name)).toString('base64')).toBe(second);
  // A mask is no photo.
  await studio.ask('library.rescan', {});
  expect(await photos()).toHaveLength(5);
  expect(await studio.ask('photos.setMask', { id: photo.id, data: null })).toMatchObject({ hasMask: false });
  expect(masks()).toEqual([]);
});

/** A few kilobytes of text that unpack to five million. */
function withLongText(png: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from('note\0\0'), deflateSync(Buffer.alloc(5 << 20, 65))]);
  const named = Buffer.concat([Buffer.from('zTXt'), body]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(body.length, 0);
  ends.writeUInt32BE(crc32(named), 4);
  const ihdrEnd = 33;
  return Buffer.concat([
    ...[png.subarray(0, ihdrEnd), ends.subarray(0, 4), named],
    ...[ends.subarray(4), png.subarray(ihdrEnd)],
  ]);
}

it('what is no mask is refused, and the old one stays', async () => {
  const data = await leftOf(100, photo);
  await studio.ask('photos.setMask', { id: photo.id, data });
  const jpeg = await sharp(Buffer.from(data, 'base64')).jpeg().toBuffer();
  for (const [bad, code] of [
    [await leftOf(50, { width: photo.width + 1, height: photo.height }), 'photos.badMask'],
    [await leftOf(0, photo), 'masks.empty'],
    [jpeg.toString('base64'), 'photos.badMask'],
    [data.slice(0, 80), 'photos.badMask'],
    [withLongText(Buffer.from(data, 'base64')).toString('base64'), 'photos.badMask'],
    ['', 'photos.badMask'],
  ] as const)
    await expect(studio.ask('photos.setMask', { id: photo.id, data: bad })).rejects.toThrow(code);
  const [name = ''] = masks();
  expect(readFileSync(path.join(root, subject.folder, 'masks', name)).toString('base64')).toBe(data);
});

it('masks are found again by their photo when the library has lost its database', async () => {
  await studio.ask('photos.setMask', { id: photo.id, data: await leftOf(100, photo) });
  await studio.close();
  writeFileSync(path.join(root, 'library.sqlite'), 'nothing that can be read');
  rmSync(path.join(root, 'library.sqlite-wal'), { force: true });
  studio = await openedStudio(root);
  const [found] = await studio.ask('subjects.list', {});
  const { photos: list } = await studio.ask('photos.list', { subjectId: found?.id ?? 0 });
  expect(list.map(({ name, hasMask }) => [name, hasMask])).toEqual(
    list.map(({ name }) => [name, name === photo.name]),
  );
});

it('a run gets the masks with its photos, cut as they are', async () => {
  const [, other] = (await photos()) as [Photo, Photo];
  const whole = await leftOf(100, photo);
  await studio.ask('photos.setMask', { id: photo.id, data: whole });
  await studio.ask('photos.setMask', { id: other.id, data: await leftOf(100, other) });
  await studio.ask('photos.setCrop', { id: other.id, crop: { x: 60, y: 90, side: 200 } });
  await layOutPhotos(studio.library, subject, `${subject.folder}/runs/mine`);
  const place = path.join(root, subject.folder, 'runs/mine/photos');
  expect(readdirSync(path.join(place, 'masks')).sort()).toEqual(['00.png', '01.png']);
  expect(readFileSync(path.join(place, 'masks', '00.png')).toString('base64')).toBe(whole);
  const cut = sharp(path.join(place, 'masks', '01.png')).greyscale();
  const { data, info } = await cut.raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([200, 200]);
  expect(Array.from(data.subarray(0, 200))).toEqual(
    Array.from({ length: 200 }, (_, x) => (x < 40 ? 255 : 0)),
  );
  // What is done to a mask later does not touch the run.
  await studio.ask('photos.setMask', { id: photo.id, data: await leftOf(10, photo) });
  expect(readFileSync(path.join(place, 'masks', '00.png')).toString('base64')).toBe(whole);
});
