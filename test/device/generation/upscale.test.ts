import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, it } from 'vitest';
import { readRecipe } from '../../../src-main/engine/pictures/png.ts';
import { requestFromRecipe } from '../../../src-main/features/generation/fromRecipe.ts';
import { generate } from '../../../src-main/features/generation/generate.ts';
import { generateDefaults, type GenerateRequest } from '../../../src-main/features/generation/request.ts';
import { upscale } from '../../../src-main/features/upscale.ts';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';
import { LikenessError } from '../../../src-shared/messages/index.ts';

const work = mkdtempSync(path.join(tmpdir(), 'likeness upscale '));
process.env['LIKENESS_CACHE'] = path.join(work, 'cache');
afterAll(() => rmSync(work, { recursive: true }));
const model = path.resolve(import.meta.dirname, '../../golden/fixtures/models/tiny-bk');
const said = {
  ...{ ...generateDefaults, prompts: ['a dog'], model, steps: 4, seed: 3, provider: 'cpu' as const },
  size: { width: 64, height: 48 },
};

async function make(
  out: string,
  request: Partial<GenerateRequest>,
  events: JobEvent[] = [],
): Promise<string[]> {
  const context = {
    report: (event: JobEvent) => void events.push(event),
    signal: new AbortController().signal,
  };
  const { images } = await generate({ ...said, out: path.join(work, out), ...request }, context, '1.2.3');
  return images.map((one) => one.path);
}

const enlarge = (pictures: string, out: string, factor: 2 | 4 = 2): ReturnType<typeof upscale> =>
  upscale(
    { pictures, factor, out: path.join(work, out), provider: 'cpu' },
    { report: () => undefined, signal: new AbortController().signal },
  );

const pixelsOf = (file: string): Promise<Buffer> => sharp(file).removeAlpha().raw().toBuffer();
const codeOf = (error: unknown): string => (error instanceof LikenessError ? error.code : String(error));

it('enlarges what it draws as `upscale` enlarges the picture, and draws it again from its recipe', async () => {
  const [small = ''] = await make('small', {});
  const [large = ''] = await make('large', { upscale: { factor: 2 } });
  expect(await sharp(large).metadata()).toMatchObject({ width: 128, height: 96 });
  const { images } = await enlarge(small, 'by hand');
  const [byHand] = images;
  expect(byHand).toMatchObject({ width: 128, height: 96, from: small });
  expect(await pixelsOf(byHand?.path ?? '')).toEqual(await pixelsOf(large));

  const recipe = await readRecipe(large);
  expect(recipe).toMatchObject({
    width: 64,
    height: 48,
    upscale: { factor: 2, network: { name: 'span-x2' } },
  });
  expect(await readRecipe(byHand?.path ?? '')).toEqual(recipe);
  expect(readFileSync(large, 'latin1')).toContain('Hires upscale: 2, Hires upscaler: span-x2');

  const again = await requestFromRecipe(large, { out: path.join(work, 'again'), provider: 'cpu' });
  const [made = ''] = await make('again', again);
  expect(await pixelsOf(made)).toEqual(await pixelsOf(large));
});

it('draws over what it enlarged as image to image does', async () => {
  const events: JobEvent[] = [];
  const drawn = await make('hires', { count: 2, upscale: { factor: 2, strength: 0.5 } }, events);
  const done = events.flatMap((event) => (event.type === 'progress' ? [event.done] : []));
  expect(done).toEqual([...done].sort((a, b) => a - b));
  expect(done.at(-1)).toBe(2);

  const [, small = ''] = await make('small two', { count: 2 });
  const { images } = await enlarge(small, 'large two');
  const image = images[0]?.path ?? '';
  const [byHand = ''] = await make('over', {
    seed: 4,
    over: { image, strength: 0.5 },
    size: { width: 128, height: 96 },
  });
  expect(await pixelsOf(drawn[1] ?? '')).toEqual(await pixelsOf(byHand));
  expect(readFileSync(drawn[1] ?? '', 'latin1')).toContain('Denoising strength: 0.5');
  const again = await requestFromRecipe(drawn[1] ?? '', {
    out: path.join(work, 'hires again'),
    provider: 'cpu',
  });
  const [made = ''] = await make('hires again', again);
  expect(await pixelsOf(made)).toEqual(await pixelsOf(drawn[1] ?? ''));
});

it('says at once what strength leaves nothing to draw', async () => {
  const wrong = make('none', { upscale: { factor: 2, strength: 0.1 } });
  expect(await wrong.catch(codeOf)).toBe('strength.tooLow');
});

it('enlarges a folder of pictures from elsewhere, and overwrites none', async () => {
  const folder = path.join(work, 'mine');
  const grey = { width: 20, height: 10, channels: 3 as const, background: '#808080' };
  const picture = sharp({ create: grey });
  await make('mine', {});
  for (const name of ['café.jpg', 'b.webp']) await picture.clone().toFile(path.join(folder, name));
  const { images } = await enlarge(folder, 'enlarged', 4);
  expect(images.map((one) => path.basename(one.path)).slice(1)).toEqual(['b-x4.png', 'café-x4.png']);
  expect(images.at(-1)).toMatchObject({ width: 80, height: 40 });
  const { data } = await sharp(images.at(-1)?.path).raw().toBuffer({ resolveWithObject: true });
  expect(Math.abs((data[3 * (20 * 80 + 40)] ?? 0) - 128)).toBeLessThanOrEqual(2);
  const second = await enlarge(path.join(folder, 'b.webp'), 'enlarged', 4);
  expect(path.basename(second.images[0]?.path ?? '')).toBe('b-x4 (2).png');
});

it('refuses a picture that was enlarged already, and a folder without pictures', async () => {
  const [large = ''] = await make('twice', { upscale: { factor: 2 } });
  expect(await enlarge(large, 'twice again').catch(codeOf)).toBe('upscale.twice');
  expect(await enlarge(path.join(work, 'cache'), 'nothing').catch(codeOf)).toBe('upscale.none');
});
