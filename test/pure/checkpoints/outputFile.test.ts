import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder } from '../../../src-main/engine/checkpoints/files.ts';
import { prepareOutput } from '../../../src-main/engine/checkpoints/outputFile.ts';
import { writeAtomically } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { drawGrid, prepareGrid } from '../../../src-main/features/generation/grid.ts';
import { makeMask } from '../../../src-main/features/photos/makeMask.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'likeness-output-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const never = () => false;

describe('a file that a command writes', () => {
  it('is a free name, in a folder that is made', async () => {
    const file = join(folder, 'new/deep/file.bin');
    await prepareOutput(file, 'a page', never);
    writeAtomically(file, () => [Buffer.from('x')]);
    expect(readFileSync(file, 'utf8')).toBe('x');
  });

  it("replaces what an earlier call wrote, and nobody's own file", async () => {
    const file = join(folder, 'mine.txt');
    writeFileSync(file, 'mine');
    await prepareOutput(file, 'a page', () => true);
    await expect(prepareOutput(file, 'a page', never)).rejects.toMatchObject({
      code: 'output.taken',
      message: expect.stringMatching(/mine\.txt already exists and is not a page/) as string,
    });
    const unreadable = (): boolean => {
      throw new Error('no such page');
    };
    await expect(prepareOutput(file, 'a page', unreadable)).rejects.toMatchObject({ code: 'output.taken' });
  });

  it('is no folder, and lies below none that is a file', async () => {
    mkdirSync(join(folder, 'a folder'));
    await expect(prepareOutput(join(folder, 'a folder'), 'a page', never)).rejects.toThrow(
      /a folder can't be written \(EISDIR\); a folder has this name/,
    );
    writeFileSync(join(folder, 'flat'), '');
    await expect(prepareOutput(join(folder, 'flat/deep/page.md'), 'a page', never)).rejects.toThrow(
      /flat can't be written \(EEXIST\)/,
    );
  });

  it('is named by its own name where it can not be written, not by that of its temporary copy', () => {
    writeFileSync(join(folder, 'flat'), '');
    const write = () => writeAtomically(join(folder, 'flat/page.md'), () => [Buffer.from('x')]);
    expect(write).toThrow(/page\.md can't be written \(ENOTDIR\)/);
    expect(() => makeFolder(join(folder, 'flat/a/b'))).toThrow(/flat can't be written \(EEXIST\)/);
  });
});

it('a mask takes the place of a mask, never that of a photo', async () => {
  const photo = join(folder, 'photo.png');
  const square = { create: { width: 20, height: 20, channels: 3, background: 'orange' } } as const;
  await sharp({ create: { width: 60, height: 60, channels: 3, background: 'navy' } })
    .composite([{ input: square }])
    .png()
    .toFile(photo);
  const before = readFileSync(photo);
  const ellipse = '15,15,30,30';
  await expect(makeMask({ photo, out: photo, ellipse })).rejects.toMatchObject({ code: 'output.taken' });
  expect(readFileSync(photo).equals(before)).toBe(true);
  const grey = join(folder, 'grey.jpg');
  await sharp({ create: { width: 60, height: 60, channels: 3, background: '#808080' } }).toFile(grey);
  await expect(makeMask({ photo, out: grey, ellipse })).rejects.toMatchObject({ code: 'output.taken' });
  const out = join(folder, 'masks/photo.png');
  await makeMask({ photo, out, ellipse });
  await makeMask({ photo, out, ellipse: '10,10,30,30' });
  expect((await sharp(out).metadata()).width).toBe(60);
});

it('a grid takes the place of a grid, never that of a picture', async () => {
  const photo = join(folder, 'tile.png');
  await sharp({ create: { width: 8, height: 8, channels: 3, background: 'teal' } }).toFile(photo);
  await expect(prepareGrid(photo)).rejects.toMatchObject({ code: 'output.taken' });
  const grid = join(folder, 'grid.png');
  await prepareGrid(grid);
  writeFileSync(grid, await drawGrid({ columns: [''], rows: [{ label: '', files: [photo] }] }));
  await prepareGrid(grid);
  expect((await sharp(grid).metadata()).format).toBe('png');
});
