import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AskedFinetune, finetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../../src-shared/domain/settingValues.ts';
import { openModel } from '../../../../src-main/engine/checkpoints/openModel.ts';
import {
  finetuneBatches,
  subjectDatasets,
} from '../../../../src-main/engine/training/data/finetuneBatches.ts';
import { learntFrom } from '../../../../src-main/engine/training/data/photoHashes.ts';
import { inPlace, placesOf } from '../../../../src-main/engine/training/data/places.ts';
import { ownSettings } from '../../../../src-main/features/training/ownSettings.ts';

const bare = resolve('test/golden/fixtures/models/tiny-bk');
const scratch = mkdtempSync(join(tmpdir(), 'likeness places ü'));
const [model, photos] = [join(scratch, 'model'), join(scratch, 'photos')];
const quiet = { report: () => undefined, signal: new AbortController().signal };
afterAll(() => rmSync(scratch, { recursive: true }));

const flat = (background: string, file: string): Promise<unknown> =>
  sharp({ create: { width: 48, height: 48, channels: 3, background } }).toFile(file);

beforeAll(async () => {
  cpSync(bare, model, { recursive: true });
  mkdirSync(join(model, 'places'));
  await flat('white', join(model, 'places', 'in the snow.png'));
  await flat('black', join(model, 'places', 'at night 2.png'));
  mkdirSync(join(photos, 'masks'), { recursive: true });
  await flat('red', join(photos, '0.png'));
  await flat('green', join(photos, '1.png'));
  // White in the left half.
  const half = Uint8Array.from({ length: 48 * 48 }, (_, i) => (i % 48 < 24 ? 255 : 0));
  await sharp(half, { raw: { width: 48, height: 48, channels: 1 } })
    .png()
    .toFile(join(photos, 'masks', '0.png'));
});

const settingsWith = (more: AskedFinetune) =>
  completeSettings(
    finetuneSettings,
    { ...{ classNoun: 'brick', photos, steps: 1, prior: false, provider: 'cpu', newPlaces: true }, ...more },
    { model, size: 32 },
  );
const datasetOf = async (more: AskedFinetune = {}) => {
  const settings = settingsWith(more);
  const cache = join(scratch, 'cache');
  return (await subjectDatasets(openModel(settings.model), settings, 1000, cache, quiet))[0][0].subject;
};

describe('a subject in new places', () => {
  it('is what its mask shows, over the place', async () => {
    const [night, snow] = await placesOf(model, { width: 32, height: 32 });
    expect([night?.words, snow?.words]).toEqual(['at night', 'in the snow']);
    const photo = Float32Array.from({ length: 3 * 32 * 32 }, () => 0.25);
    const mask = Float32Array.from({ length: 32 * 32 }, (_, i) => (i % 32 < 16 ? 1 : 0));
    if (!night || !snow) throw new Error('no places');
    expect([...inPlace(photo, mask, snow).subarray(14, 18)]).toEqual([0.25, 0.25, 1, 1]);
    expect([...inPlace(photo, mask, night).subarray(-18, -14)]).toEqual([0.25, 0.25, -1, -1]);
  });

  it('is shown with the words of each, beside the photo itself without any; one without a mask stays as it is', async () => {
    const found = await datasetOf({ photoScenes: { '0.png': 'in the snow' } });
    const masked = found.filter(({ file }) => file?.endsWith('0.png'));
    expect(found.filter(({ file }) => file?.endsWith('1.png'))).toHaveLength(1);
    const ids = async (scene: string): Promise<readonly number[] | undefined> =>
      (await datasetOf({ newPlaces: false, photoScenes: { '0.png': scene } }))[0]?.ids;
    const [plain] = await datasetOf({ newPlaces: false });
    const shown = new Set(masked.map((picture) => picture.ids.join()));
    expect(shown).toEqual(
      new Set([plain?.ids, await ids('in the snow'), await ids('at night')].map((one) => one?.join())),
    );
    const own = masked.filter((picture) => picture.ids.join() === plain?.ids.join());
    expect(own).toHaveLength(2);
    expect(own.every(({ mean }) => mean.join() === plain?.mean.join())).toBe(true);
    // What is behind the subject counts in full, the subject as it did.
    for (const { lossWeights } of own)
      expect([...(lossWeights ?? [])]).toEqual(
        [...(plain?.lossWeights ?? [])].map((weight) => Math.max(1, weight)),
      );
    const moved = masked.filter((picture) => !own.includes(picture));
    expect(moved).toHaveLength(2);
    expect(moved.some(({ mean }) => mean.join() === plain?.mean.join())).toBe(false);
    expect(moved.map(({ lossWeights }) => [...(lossWeights ?? [])])).toEqual(
      moved.map(() => [...(plain?.lossWeights ?? [])]),
    );
  });

  it('stands in the middle of them, over the photo’s rim, but for a side that the photo cuts off', async () => {
    const at = async (left: number, top: number): Promise<readonly number[]> => {
      const folder = join(scratch, `at-${left}-${top}`);
      mkdirSync(join(folder, 'masks'), { recursive: true });
      await flat('red', join(folder, '0.png'));
      const isIn = (value: number, from: number): boolean => value >= from && value < from + 16;
      const data = Uint8Array.from({ length: 48 * 48 }, (_, i) =>
        isIn(i % 48, left) && isIn(Math.floor(i / 48), top) ? 255 : 0,
      );
      await sharp(data, { raw: { width: 48, height: 48, channels: 1 } })
        .png()
        .toFile(join(folder, 'masks', '0.png'));
      const { lossWeights } = (await datasetOf({ photos: folder, crop: 'subject' })).at(-1) ?? {};
      return [...(lossWeights ?? [])].map((weight) => Math.round(10 * weight) / 10);
    };
    const middle = await at(16, 16);
    expect(middle[5]).toBeGreaterThan(middle[0] ?? 0);
    // Three pixels from the photo's corner it is where it would be in its middle.
    expect(await at(3, 3)).toEqual(middle);
    // Its end at the photo's own is at the picture's, too.
    const cutOff = await at(16, 32);
    expect(cutOff[13]).toBeGreaterThan(cutOff[1] ?? 0);
  });

  it('shares places out among photos', async () => {
    const both = join(scratch, 'both');
    cpSync(photos, both, { recursive: true });
    cpSync(join(both, 'masks', '0.png'), join(both, 'masks', '1.png'));
    const found = await datasetOf({ photos: both });
    expect(found.map(({ file }) => file?.slice(-5))).toEqual([
      '0.png',
      '0.png',
      '0.png',
      '1.png',
      '1.png',
      '1.png',
    ]);
    expect(new Set(found.map(({ ids }) => ids.join())).size).toBe(3);
  });

  it('has shapes of its own with buckets', async () => {
    const settings = settingsWith({ buckets: true });
    const source = await finetuneBatches(openModel(model), settings, 1000, join(scratch, 'cache'), quiet);
    expect(source.masked).toBe(true);
  });

  it('is learnt from files that a run remembers', async () => {
    expect(Object.keys((await learntFrom(settingsWith({}))) ?? {})).toEqual(
      expect.arrayContaining(['0.png', 'masks/0.png', 'places/in the snow.png', 'places/at night 2.png']),
    );
  });

  it('needs places that come with the model; the included one has them, and a copy without them can be trained all the same', async () => {
    await expect(datasetOf({ model: bare })).rejects.toMatchObject({ code: 'training.noPlaces' });
    expect(
      (await placesOf(resolve('models/likeness-mini'), { width: 32, height: 32 })).length,
    ).toBeGreaterThan(20);
    const copy = join(scratch, 'copy');
    cpSync(bare, copy, { recursive: true });
    writeFileSync(join(copy, 'likeness.json'), '{"finetune":{"newPlaces":true}}');
    expect(ownSettings(copy).newPlaces).toBeUndefined();
    mkdirSync(join(copy, 'places'));
    expect(ownSettings(copy).newPlaces).toBe(true);
  });
});
