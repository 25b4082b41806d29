import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LikenessMeter } from '../../../src-main/features/generation/likenessMeter.ts';
import { scorerFiles } from '../../../src-main/shipped.ts';
import { jsonLines, likeness } from '../../pure/cli/likeness.ts';

const model = path.resolve('test/golden/fixtures/models/tiny-bk');
const photos = path.resolve('resources/sample-subject');
const scratch = mkdtempSync(path.join(tmpdir(), 'likeness select ü '));
let meter: LikenessMeter;

beforeAll(async () => {
  meter = await LikenessMeter.open({ photos, mobileNet: scorerFiles.mobileNet });
});
afterAll(async () => {
  await meter.dispose();
  rmSync(scratch, { recursive: true, force: true });
});

interface Done {
  readonly images: readonly { readonly path: string; readonly seed: number; readonly likeness: number }[];
  readonly tried: number;
  readonly short: number;
}

const common = [
  '--model',
  model,
  '--prompt',
  'a bear',
  '--seed',
  '5',
  '--steps',
  '3',
  '--size',
  '64',
  '--json',
];
async function draw(name: string, ...more: string[]): Promise<Done> {
  const out = path.join(scratch, name);
  const { status, stdout, stderr } = await likeness(['generate', ...common, '--out', out, ...more]);
  expect(stderr).not.toMatch(/rror/);
  expect(status).toBe(0);
  return jsonLines(stdout).at(-1) as unknown as Done;
}

it('keeps the best of each so many, or draws until enough are alike, and says how many it took', async () => {
  const all = await draw('all', '--count', '6');
  const measured = new Map<number, number>();
  for (const { path: file, seed } of all.images) measured.set(seed, await meter.of(file));
  const values = [...measured.values()];
  expect(new Set(values).size).toBe(6);

  const best = await draw('best', '--count', '2', '--best-of', '3', '--photos', photos);
  expect(best.tried).toBe(6);
  const bestOf = (seeds: number[]): number | undefined =>
    seeds.sort((a, b) => (measured.get(b) ?? 0) - (measured.get(a) ?? 0))[0];
  expect(best.images.map(({ seed }) => seed)).toEqual([bestOf([5, 6, 7]), bestOf([8, 9, 10])]);
  for (const { seed, likeness: value } of best.images) expect(value).toBeCloseTo(measured.get(seed) ?? 0, 3);
  expect(readdirSync(path.join(scratch, 'best'))).toHaveLength(2);

  // As much as the least alike but one: the first try that is as alike is kept.
  const wanted = [...values].sort((a, b) => a - b)[1] ?? 0;
  const until = await draw('until', '--until-like', String(wanted - 1e-6), '--photos', photos);
  const first = [...measured].find(([, value]) => value >= wanted)?.[0];
  expect(until.images.map(({ seed }) => seed)).toEqual([first]);
  expect(until).toMatchObject({ short: 0 });

  const never = await draw('never', '--until-like', '1', '--photos', photos);
  expect(never).toMatchObject({ tried: 25, short: 1 });
  expect(never.images[0]?.likeness).toBeGreaterThanOrEqual(Math.max(...values) - 1e-3);
  expect(readdirSync(path.join(scratch, 'never'))).toHaveLength(1);
}, 300_000);

it('enlarges only what it keeps, and says before the first try what cannot be', async () => {
  const chosen = ['--count', '1', '--best-of', '3', '--photos', photos];
  const small = await draw('small', ...chosen);
  const enlarge = ['--upscale', '2'];
  const over = [...enlarge, '--hires-strength', '0.7'];
  const [plain, drawnOver] = [
    await draw('plain', ...chosen, ...enlarge),
    await draw('over', ...chosen, ...over),
  ];
  const file = ({ images }: Done): string => images[0]?.path ?? '';
  for (const large of [plain, drawnOver]) {
    expect(large.images.map((one) => [one.seed, one.likeness])).toEqual(
      small.images.map((one) => [one.seed, one.likeness]),
    );
    expect(readdirSync(path.dirname(file(large)))).toHaveLength(1);
  }
  const out = (name: string): string[] => ['--out', path.join(scratch, name), '--json'];
  const made = async (...words: string[]): Promise<string> =>
    file(jsonLines((await likeness(words)).stdout).at(-1) as unknown as Done);
  const pixels = async (picture: string): Promise<unknown> => {
    const { data, info } = await sharp(picture).raw().toBuffer({ resolveWithObject: true });
    return [info.width, info.height, data.toString('base64')];
  };
  const byHand = await made('upscale', file(small), ...enlarge.with(0, '--factor'), ...out('by hand'));
  expect(await pixels(file(plain))).toEqual(await pixels(byHand));
  const again = await made('generate', '--recipe', file(drawnOver), ...out('again'));
  expect(await pixels(file(drawnOver))).toEqual(await pixels(again));

  const wrong = [...chosen, ...enlarge, '--hires-strength', '0.1'];
  const refused = await likeness(['generate', ...common, '--out', path.join(scratch, 'none'), ...wrong]);
  expect(refused.stdout).toContain('strength.tooLow');
  expect(jsonLines(refused.stdout).filter(({ type }) => type === 'note')).toEqual([]);
}, 300_000);

it('measures of a picture that was drawn over another what the mask shows', async () => {
  const grey = { width: 512, height: 384, channels: 3 as const, background: '#777' };
  const [photo] = readdirSync(photos).filter((name) => name.endsWith('.jpg'));
  const plant = await sharp(path.join(photos, photo ?? ''))
    .resize(160, 160)
    .toBuffer();
  const [file, mask] = ['over.png', 'mask.png'].map((name) => path.join(scratch, name)) as [string, string];
  await sharp({ create: grey })
    .composite([{ input: plant, left: 300, top: 200 }])
    .png()
    .toFile(file);
  const white = await sharp({ create: { ...grey, width: 160, height: 160, background: '#fff' } })
    .png()
    .toBuffer();
  await sharp({ create: { ...grey, background: '#000' } })
    .composite([{ input: white, left: 300, top: 200 }])
    .png()
    .toFile(mask);
  expect(await meter.of(file, mask)).toBeGreaterThan((await meter.of(file)) + 0.05);
});

it('says what is missing', async () => {
  const missing = await likeness([...['generate', ...common, '--out', scratch, '--best-of', '3']]);
  expect(missing.status).toBe(1);
  expect(missing.stdout).toContain('--photos');
  const both = await likeness([
    ...['generate', ...common, '--out', scratch, '--best-of', '3', '--until-like', '0.5'],
    ...['--photos', photos],
  ]);
  expect(both.status).toBe(2);
  expect(both.stdout).toContain('--best-of');
}, 60_000);
