import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRecipe } from '../../../src-main/engine/pictures/png.ts';
import { requestFromRecipe } from '../../../src-main/features/generation/fromRecipe.ts';
import { generate } from '../../../src-main/features/generation/generate.ts';
import { generateDefaults, type GenerateRequest } from '../../../src-main/features/generation/request.ts';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';

const work = mkdtempSync(path.join(tmpdir(), 'likeness over '));
process.env['LIKENESS_CACHE'] = path.join(work, 'cache');
afterAll(() => rmSync(work, { recursive: true }));
const events: JobEvent[] = [];
const context = {
  report: (event: JobEvent) => void events.push(event),
  signal: new AbortController().signal,
};
const image = path.join(work, 'my photo.png');
const mask = path.join(work, 'where.png');
const [width, height] = [150, 90];
const model = path.resolve(import.meta.dirname, '../../golden/fixtures/models/tiny-bk');

beforeAll(async () => {
  const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 37) % 251);
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(image);
  const white = { width: 30, height: 20, channels: 3 as const, background: 'white' };
  await sharp({ create: { width, height, channels: 3, background: 'black' } })
    .composite([{ input: await sharp({ create: white }).png().toBuffer(), left: 60, top: 40 }])
    .png()
    .toFile(mask);
});

async function make(out: string, request: Partial<GenerateRequest>): Promise<string> {
  const { images } = await generate(
    {
      ...{ ...generateDefaults, prompts: ['a dog'], model, steps: 4, seed: 3, provider: 'cpu' },
      out: path.join(work, out),
      ...request,
    },
    context,
    '1.2.3',
  );
  return (images[0] as { path: string }).path;
}

const pixelsOf = async (file: string) =>
  sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });

/** Where two pictures of the photo's size differ: the box of it, x, y, right and bottom. */
async function changedBox(file: string): Promise<number[]> {
  const [before, after] = [await pixelsOf(image), await pixelsOf(file)];
  expect([after.info.width, after.info.height]).toEqual([width, height]);
  const changed = [...after.data.keys()]
    .filter((i) => after.data[i] !== before.data[i])
    .map((i) => Math.floor(i / 3));
  const [xs, ys] = [changed.map((pixel) => pixel % width), changed.map((pixel) => Math.floor(pixel / width))];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

it('draws over a picture of its own size, in whole latents', async () => {
  const file = await make('plain', { over: { image, strength: 0.5 } });
  const { info } = await pixelsOf(file);
  expect([info.width, info.height]).toEqual([144, 88]);
  expect(await readRecipe(file)).toMatchObject({ strength: 0.5, image: { name: 'my photo.png' } });
  expect(readFileSync(file, 'latin1')).toContain('Denoising strength: 0.5');
});

it('draws a large picture at about the size of the model, and says so', async () => {
  const large = path.join(work, 'large.png');
  await sharp(image).resize(900, 450).png().toFile(large);
  const { info } = await pixelsOf(await make('large', { over: { image: large, strength: 0.5 } }));
  expect(info.width / info.height).toBeCloseTo(2, 0);
  expect(info.width).toBeLessThan(150);
  expect(events.some((event) => event.type === 'warning' && event.message.includes('900×450'))).toBe(true);
});

it.each([undefined, 8])(
  'leaves every pixel outside the mask as it was, with padding %j',
  async (maskPadding) => {
    const over = { image, mask, strength: 1, ...(maskPadding !== undefined && { maskPadding }) };
    const [left = 0, top = 0, right = 0, bottom = 0] = await changedBox(await make('masked', { over }));
    expect(left >= 60 && top >= 40 && right < 90 && bottom < 60).toBe(true);
    expect((right - left) * (bottom - top)).toBeGreaterThan(300);
  },
);

it('makes it again from the recipe, and refuses another picture below', async () => {
  const file = await make('first', { over: { image, mask, strength: 0.8, maskPadding: 4 } });
  const out = path.join(work, 'again');
  const again = await requestFromRecipe(file, { out, provider: 'cpu' });
  const { images } = await generate(again, context, '1.2.3');
  expect(readFileSync((images[0] as { path: string }).path).equals(readFileSync(file))).toBe(true);
  const other = await requestFromRecipe(file, { out, provider: 'cpu', image: mask });
  await expect(generate(other, context, '1.2.3')).rejects.toMatchObject({ code: 'recipe.differs' });
});

it('says what is wrong with a mask or a strength', async () => {
  const square = path.join(work, 'square.png');
  await sharp(mask).resize(50, 50, { fit: 'fill' }).png().toFile(square);
  const black = path.join(work, 'black.png');
  await sharp({ create: { width, height, channels: 3, background: 'black' } })
    .png()
    .toFile(black);
  const code = async (over: GenerateRequest['over']): Promise<unknown> =>
    make('none', { over: over as NonNullable<GenerateRequest['over']> }).catch((error: unknown) => error);
  expect(await code({ image, mask: square, strength: 1 })).toMatchObject({ code: 'mask.otherShape' });
  expect(await code({ image, mask: black, strength: 1 })).toMatchObject({ code: 'mask.blank' });
  expect(await code({ image, strength: 0.1 })).toMatchObject({ code: 'strength.tooLow' });
});
