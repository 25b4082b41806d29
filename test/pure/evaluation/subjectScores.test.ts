import { describe, expect, it } from 'vitest';
import { bootstrap, cellsOf, mean } from '../../../src-main/engine/evaluation/confidence.ts';
import { normalized } from '../../../src-main/engine/evaluation/features.ts';
import {
  classLeak,
  likenessToPhotos,
  photoFidelity,
  promptFidelity,
  promptFidelityByChance,
  subjectFidelity,
  variety,
} from '../../../src-main/engine/evaluation/subjectScores.ts';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';

/** Points on the circle, by angle in degrees. */
const at = (...angles: number[]) =>
  angles.map((angle) =>
    Float32Array.of(Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)),
  );

describe('the bootstrap', () => {
  const draws = (seed: number) => [...new TorchGenerator(seed).randn([40, 2])];

  it('gives the same interval for the same cells, around the value', () => {
    const cells = cellsOf(draws(1), 2);
    const { value, low, high } = bootstrap(cells, mean);
    expect(bootstrap(cells, mean)).toEqual({ value, low, high });
    expect(value).toBeCloseTo(mean(draws(1)), 10);
    expect(low).toBeLessThan(value);
    expect(high).toBeGreaterThan(value);
  });

  it('holds the true mean about 95 times of 100', () => {
    const holds = Array.from({ length: 40 }, (_, seed) =>
      bootstrap(cellsOf(draws(seed + 1), 1), mean),
    ).filter(({ low, high }) => low <= 0 && high >= 0);
    expect(holds.length).toBeGreaterThanOrEqual(34);
  });

  it('is as wide as prompts differ, however many seeds each has', () => {
    const width = (cells: number[][]) => {
      const { low, high } = bootstrap(cells, mean);
      return high - low;
    };
    const prompts = [0, 1, 2, 3, 4, 5];
    const once = width(prompts.map((value) => [value]));
    const often = width(prompts.map((value) => Array<number>(20).fill(value)));
    expect(often).toBeCloseTo(once, 0);
  });
});

describe('figures', () => {
  it('subject fidelity is the mean cosine over all pairs', () => {
    expect(likenessToPhotos(at(0, 90), at(0, 60))).toEqual([
      expect.closeTo(0.75, 5),
      expect.closeTo(Math.cos(Math.PI / 6) / 2, 5),
    ]);
    expect(subjectFidelity(at(0, 0, 60, 60), at(0), 2).value).toBeCloseTo(0.75, 5);
    expect(photoFidelity(at(0, 60)).value).toBeCloseTo(0.5, 5);
    expect(photoFidelity(at(0))).toEqual({ value: 1, low: 1, high: 1 });
  });

  it('prompt fidelity compares a picture with its own prompt, chance with the others', () => {
    const [pictures, prompts] = [at(0, 0, 90, 90), at(0, 90)];
    expect(promptFidelity(pictures, prompts, 2).value).toBeCloseTo(1, 5);
    expect(promptFidelityByChance(pictures, prompts, 2)).toBeCloseTo(0, 5);
  });

  it('variety is the mean distance of pairs, nothing for equal pictures', () => {
    expect(variety(at(30, 30, 30), 1)).toEqual({
      value: expect.closeTo(0, 5) as number,
      low: expect.closeTo(0, 5) as number,
      high: expect.closeTo(0, 5) as number,
    });
    expect(variety(at(0, 90, 0), 1).value).toBeCloseTo(2 / 3, 5);
  });

  it('class leak is 0 where nothing moved, 1 at the photos, negative away from them', () => {
    const [photos, base] = [at(0, 0), at(60, 60)];
    expect(classLeak(at(60, 60), base, photos)?.value).toBeCloseTo(0, 5);
    expect(classLeak(at(0, 0), base, photos)?.value).toBeCloseTo(1, 5);
    expect(classLeak(at(90, 90), base, photos)?.value).toBeLessThan(-0.5);
  });

  it('class leak cannot be said where photos are no nearer to each other than the class', () => {
    expect(classLeak(at(0, 0), at(20, 20), at(0, 60))).toBeNull();
  });

  it('leaves a vector of zeros as it is', () => {
    expect([...normalized(new Float32Array(3))]).toEqual([0, 0, 0]);
  });
});
