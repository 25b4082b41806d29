import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, expect, it } from 'vitest';
import { pictures } from '../../pictureRequest.ts';
import { openedStudio } from './openedStudio.ts';

const root = path.join(mkdtempSync(path.join(tmpdir(), 'likeness-originals-')), 'library');
afterAll(() => rmSync(path.dirname(root), { recursive: true, force: true }));

const base64 = async (picture: Sharp): Promise<string> => (await picture.toBuffer()).toString('base64');
const plain = (width: number, height: number, background: string) =>
  sharp({ create: { width, height, channels: 3, background } });

it('pictures to draw over are kept upright, with masks of their size; what is gone is said', async () => {
  const { ask, close } = await openedStudio(root);
  const turned = await base64(plain(40, 20, 'teal').withMetadata({ orientation: 6 }).jpeg());
  const kept = await ask('originals.keep', { name: '../../my photo.jpg', data: turned });
  expect(kept).toMatchObject({ width: 20, height: 40 });
  expect(await ask('originals.find', { hash: kept.hash })).toEqual(kept);
  expect(readdirSync(path.join(root, 'originals'))).toEqual([`${kept.hash}.png`]);

  const original = kept.hash;
  const { mask } = await ask('originals.keepMask', {
    original,
    data: await base64(plain(20, 40, 'white').png()),
  });
  const small = await base64(plain(20, 20, 'white').png());
  await expect(ask('originals.keepMask', { original, data: small })).rejects.toThrow('photos.badMask');
  await expect(ask('originals.keep', { name: 'a.png', data: 'AAAA' })).rejects.toThrow('photos.');
  expect(readdirSync(path.join(root, 'originals'))).toHaveLength(2);

  const subject = await ask('subjects.createSample', {});
  const [photo] = (await ask('photos.list', { subjectId: subject.id })).photos;
  const own = await ask('originals.keep', { photoId: photo?.id ?? 0 });
  expect([own.width, own.height]).toEqual([photo?.width, photo?.height]);

  rmSync(path.join(root, 'originals', `${mask}.png`));
  const over = { original, mask, strength: 0.5, maskPadding: null };
  await expect(ask('generation.start', pictures({ over }))).rejects.toThrow('original.gone');
  expect(await ask('originals.find', { hash: mask })).toBeNull();
  expect(existsSync(path.join(root, 'originals'))).toBe(true);
  await close();
});
