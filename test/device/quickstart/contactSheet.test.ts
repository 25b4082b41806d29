import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawContactSheet } from '../../../src-main/features/quickstart/contactSheet.ts';
import { drawText } from '../../../src-main/engine/pictures/labels.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness sheet '));
afterAll(() => rmSync(scratch, { recursive: true }));

const file = (name: string): string => path.join(scratch, `${name}.png`);
const red = { r: 250, g: 0, b: 0 };
const blue = { r: 0, g: 0, b: 250 };

beforeAll(async () => {
  for (const [name, background] of [
    ['photo', red],
    ['picture', blue],
  ] as const)
    await sharp({ create: { width: 90, height: 60, channels: 3, background } }).toFile(file(name));
});

async function sheetOf(photos: number, pictures: number) {
  const { png, labelled } = await drawContactSheet({
    photos: Array<string>(photos).fill(file('photo')),
    pictures: Array.from({ length: pictures }, (_, i) => ({
      path: file('picture'),
      label: `<scene> & ${i}`,
    })),
    titles: { photos: 'Photos', pictures: 'Pictures' },
  });
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const near = (x: number, y: number, { r, g, b }: typeof red): boolean =>
    [r, g, b].every((value, c) => Math.abs(value - (data[(y * info.width + x) * 3 + c] as number)) < 8);
  /** Runs of one colour along a line of pixels. */
  const runs = (length: number, isAt: (i: number) => boolean): number =>
    Array.from({ length }, (_, i) => isAt(i) && !isAt(i - 1)).filter(Boolean).length;
  const rowsOf = (x: number, color: typeof red): number =>
    runs(info.height, (y) => y >= 0 && near(x, y, color));
  const across = (color: typeof red): number =>
    Math.max(
      ...Array.from({ length: info.height / 4 }, (_, y) =>
        runs(info.width, (x) => x >= 0 && near(x, y * 4, color)),
      ),
    );
  return { labelled, info, rowsOf, across };
}

describe('contact sheet', () => {
  it.each([
    [1, 1, 1],
    [5, 8, 2],
    [6, 3, 1],
  ])('%i photos in one row, %i pictures in rows of four', async (photos, pictures, rows) => {
    const { info, rowsOf, across } = await sheetOf(photos, pictures);
    expect(across(red)).toBe(photos);
    expect(across(blue)).toBe(Math.min(4, pictures));
    expect(rowsOf(40, red)).toBe(1);
    expect(rowsOf(40, blue)).toBe(rows);
    expect(info.width).toBeGreaterThan(1000);
  });

  it('shows eight photos of more', async () => {
    expect((await sheetOf(20, 1)).across(red)).toBe(8);
  });

  it('writes text as it is, not as markup', async () => {
    const ink = async (text: string): Promise<number> => {
      const { channels } = await sharp(await drawText(text, 300, 10)).stats();
      return channels[3]?.mean ?? 0;
    };
    expect(await ink('<b>&')).toBeGreaterThan(0);
  });

  it('knows a machine without fonts', () => {
    const config = path.join(scratch, 'fonts.conf');
    writeFileSync(config, '<?xml version="1.0"?><fontconfig></fontconfig>');
    const script = `
      import { canDrawText } from './src-main/engine/pictures/labels.ts';
      console.log(await canDrawText());`;
    const answer = (env: NodeJS.ProcessEnv): string =>
      execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
        env: { ...process.env, ...env },
        encoding: 'utf8',
      }).trim();
    if (process.platform === 'linux') expect(answer({ FONTCONFIG_FILE: config })).toBe('false');
  });
});
