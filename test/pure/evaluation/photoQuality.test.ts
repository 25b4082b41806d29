import sharp, { type Sharp } from 'sharp';
import { expect, it } from 'vitest';
import { detailOutsideSquare, photoQuality } from '../../../src-main/engine/evaluation/photoQuality.ts';
import type { Picture } from '../../../src-main/engine/pictures/pixels.ts';
import { photoAdvice, setAdvice, type PhotoFacts } from '../../../src-main/features/photos/advice.ts';

const photo = 'resources/sample-subject/01.jpg';
const decoded = async (picture: Sharp): Promise<Picture> => {
  const { data, info } = await picture.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
};
const judged = async (change: (picture: Sharp) => Sharp) =>
  photoQuality(await decoded(change(sharp(photo).resize(256, 256))));

it('tells sharp from blurred, and gives more blur a larger number', async () => {
  const [sharpOne, little, much] = [
    await judged((picture) => picture),
    await judged((picture) => picture.blur(3)),
    await judged((picture) => picture.blur(6)),
  ];
  expect(sharpOne.blur).toBeLessThan(0.53);
  expect(little.blur).toBeGreaterThan(0.53);
  expect(much.blur).toBeGreaterThan(little.blur);
});

it('tells dark and overexposed from well lit', async () => {
  const [dark, bright] = [
    await judged((picture) => picture.linear(0.12, 0)),
    await judged((picture) => picture.linear(2, 120)),
  ];
  expect(dark.brightness).toBeLessThan(0.15);
  expect(bright.tooBright).toBeGreaterThan(0.5);
  expect((await judged((picture) => picture)).tooDark).toBeLessThan(0.1);
});

it('sees what the middle square leaves out', async () => {
  const stripes = await decoded(
    sharp({ create: { width: 300, height: 100, channels: 3, background: 'grey' } }).composite([
      { input: await sharp(photo).resize(100, 100).png().toBuffer(), left: 0, top: 0 },
    ]),
  );
  expect(detailOutsideSquare(stripes)).toBeGreaterThan(0.9);
  expect(detailOutsideSquare(await decoded(sharp(photo).resize(90, 90)))).toBe(0);
});

it('advises about one photo by what is wrong with it, once', () => {
  const good: PhotoFacts = {
    ...{ width: 600, height: 600, crop: { left: 0, top: 0, size: 600 }, cropLoses: 0 },
    ...{ blur: 0.3, brightness: 0.5, tooDark: 0, tooBright: 0, contrast: 0.2 },
  };
  const codes = (change: Partial<PhotoFacts>) => photoAdvice({ ...good, ...change }).map(({ code }) => code);
  expect(codes({})).toEqual([]);
  expect(codes({ blur: 0.7 })).toEqual(['blurred']);
  expect(codes({ brightness: 0.05, contrast: 0.02 })).toEqual(['dark']);
  expect(codes({ brightness: 0.97, tooBright: 0.8 })).toEqual(['bright']);
  expect(codes({ contrast: 0.01 })).toEqual(['flat']);
  expect(codes({ width: 100, height: 100 })).toEqual(['small']);
  expect(codes({ width: 1800, cropLoses: 0.5 })).toEqual(['aspect']);
  expect(codes({ width: 900, cropLoses: 0.4 })).toEqual(['crop']);
});

it('advises about the set', () => {
  const codes = (facts: Partial<Parameters<typeof setAdvice>[0]>) =>
    setAdvice({ count: 5, duplicates: [], variety: 0.3, ...facts }).map(({ code }) => code);
  expect(codes({})).toEqual([]);
  expect(codes({ count: 0, variety: null })).toEqual(['none']);
  expect(codes({ count: 2 })).toEqual(['few']);
  expect(codes({ count: 40 })).toEqual(['many']);
  expect(codes({ duplicates: [['a', 'b']], variety: 0.01 })).toEqual(['duplicates', 'uniform']);
});
