import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, it } from 'vitest';
import { scorerFiles } from '../../../src-main/shipped.ts';
import { checkPhotos } from '../../../src-main/features/photos/photos.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'likeness-look-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a look at photos tells what their masks show, which cannot be used and which are of no photo', async () => {
  for (const name of ['00.jpg', '01.jpg', '02.jpg'])
    cpSync(path.join('resources/sample-subject', name), path.join(folder, name));
  mkdirSync(path.join(folder, 'masks'));
  const mask = (name: string) => path.join(folder, 'masks', name);
  const half = { create: { width: 256, height: 512, channels: 3, background: 'white' } } as const;
  await sharp({ create: { width: 512, height: 512, channels: 3, background: 'black' } })
    .composite([{ input: half, left: 0, top: 0 }])
    .png()
    .toFile(mask('00.png'));
  await sharp(half).png().toFile(mask('01.png'));
  await sharp(half).png().toFile(mask('someone else.png'));

  const context = { report: () => undefined, signal: new AbortController().signal };
  const found = await checkPhotos({ folder, mobileNet: scorerFiles.mobileNet }, context);
  expect(found.photos.map((photo) => [path.basename(photo.path), photo.mask])).toEqual([
    ['00.jpg', 0.5],
    ['01.jpg', null],
    ['02.jpg', null],
  ]);
  expect(found.unusable).toMatchObject([{ path: mask('01.png'), code: 'masks.otherSize' }]);
  expect(found.ignored).toEqual([mask('someone else.png')]);
  expect(found.advice.map(({ code }) => code)).toContain('masks.otherSize');
});

it('links to folders are passed over, as a finetune does; broken ones are named', async () => {
  const linked = path.join(folder, 'linked');
  mkdirSync(linked);
  cpSync('resources/sample-subject/00.jpg', path.join(linked, '00.jpg'));
  symlinkSync(folder, path.join(linked, 'others'));
  symlinkSync(path.join(folder, 'gone.jpg'), path.join(linked, 'gone.jpg'));
  const context = { report: () => undefined, signal: new AbortController().signal };
  const { unusable } = await checkPhotos({ folder: linked, mobileNet: scorerFiles.mobileNet }, context);
  expect(unusable).toMatchObject([{ path: path.join(linked, 'gone.jpg'), code: 'photos.unreadable' }]);
});

it('a look at a folder without photos says where they may be', async () => {
  const context = { report: () => undefined, signal: new AbortController().signal };
  const look = async (name: string): Promise<string[]> => {
    const { advice } = await checkPhotos(
      { folder: path.join(folder, name), mobileNet: scorerFiles.mobileNet },
      context,
    );
    return advice.map(({ code }) => code);
  };
  const put = (name: string): void => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    cpSync('resources/sample-subject/00.jpg', path.join(folder, name));
  };
  put('project/img/10_sks dog/0.jpg');
  mkdirSync(path.join(folder, 'packed'));
  writeFileSync(path.join(folder, 'packed/dog.zip'), 'PK');
  mkdirSync(path.join(folder, 'empty'));
  put('away/0.jpg');
  writeFileSync(path.join(folder, 'away/.1.heic.icloud'), '');
  expect(await look('away')).toContain('photos.inCloud');
  expect(await look('project')).toEqual(['photos.kohya']);
  expect(await look('packed')).toEqual(['photos.inArchive']);
  expect(await look('empty')).toEqual(['photos.none']);
});
