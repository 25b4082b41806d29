import { describe, expect, it } from 'vitest';
import {
  drawBatch,
  drawInTurn,
  measuredBatches,
  withNoiseOffset,
  type Dataset,
} from '../../../../src-main/engine/training/data/dataset.ts';
import { generatorFor } from '../../../../src-main/engine/tensor/seeded.ts';

/** Pictures without spread: their latents say which they are. */
const pictures = (count: number, first: number, ids = [7, 8, 9]) =>
  Array.from({ length: count }, (_, i) => ({
    ids,
    mean: new Float32Array(16).fill(first + i),
    deviation: new Float32Array(16),
  }));

const options: Dataset = {
  ...{ subject: pictures(5, 0), latents: [4, 2, 2], scalingFactor: 0.5 },
  ...{ batch: 2, timesteps: 1000, seed: 3 },
};
const prior = pictures(3, 100, [1, 2, 3]);

/** Which picture each row shows. */
const shown = (dataset: Dataset, index: number): number[] => {
  const { latents } = drawBatch(dataset, index);
  return Array.from(
    { length: latents.shape[0] as number },
    (_, row) => (latents.data[row * 16] as number) / 0.5,
  );
};

describe('batches', () => {
  it('depend on the seed and the index alone', () => {
    const [third] = [drawBatch(options, 3), drawBatch(options, 4)];
    expect(drawBatch({ ...options }, 3)).toEqual(third);
    expect(drawBatch({ ...options, seed: 4 }, 3)).not.toEqual(third);
    expect(drawBatch(options, 2)).not.toEqual(third);
  });

  it('show every photo once an epoch, in a new order each time', () => {
    const rows = Array.from({ length: 20 }, (_, index) => shown(options, index)).flat();
    const epochs = Array.from({ length: 8 }, (_, epoch) => rows.slice(5 * epoch, 5 * epoch + 5));
    for (const epoch of epochs) expect(epoch.toSorted()).toEqual([0, 1, 2, 3, 4]);
    expect(new Set(epochs.map(String)).size).toBeGreaterThan(4);
  });

  it('of several subjects take turns, each shown as often, with noise of its own', () => {
    const other: Dataset = { ...options, subject: pictures(2, 50) };
    const drawn = Array.from({ length: 10 }, (_, index) => drawInTurn([[options], [other]], index));
    const first = drawn.map(({ latents }) => (latents.data[0] as number) / 0.5);
    expect(first.map((value) => value >= 50)).toEqual(
      Array.from({ length: 10 }, (_, index) => index % 2 === 1),
    );
    expect(drawn.filter((_, i) => i % 2 === 0)).toEqual(
      [0, 1, 2, 3, 4].map((index) => drawBatch(options, index)),
    );
    expect(new Set(drawn.map(({ noise }) => noise.data.join())).size).toBe(10);
    expect(drawInTurn([[options]], 3)).toEqual(drawBatch(options, 3));
  });

  it('have the subject in the first half and the class in the second', () => {
    for (let index = 0; index < 6; index++) {
      const [a, b, c, d] = shown({ ...options, prior }, index) as [number, number, number, number];
      expect([a < 100, b < 100, c >= 100, d >= 100]).toEqual([true, true, true, true]);
      const { inputIds, timesteps } = drawBatch({ ...options, prior }, index);
      expect(Array.from(inputIds.data, Number)).toEqual([7, 8, 9, 7, 8, 9, 1, 2, 3, 1, 2, 3]);
      expect(timesteps.shape).toEqual([4]);
    }
  });

  it('draw latents from the posterior, timesteps over the whole schedule', () => {
    const wide = {
      ...options,
      subject: [{ ids: [7], mean: new Float32Array(16).fill(2), deviation: new Float32Array(16).fill(3) }],
    };
    const drawn = Array.from({ length: 300 }, (_, index) => drawBatch(wide, index));
    const values = drawn.flatMap(({ latents }) => Array.from(latents.data));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(1, 1);
    expect(Math.sqrt(variance)).toBeCloseTo(1.5, 1);
    const steps = drawn.flatMap(({ timesteps }) => Array.from(timesteps.data, Number));
    expect(Math.min(...steps)).toBeLessThan(20);
    expect(Math.max(...steps)).toBeGreaterThan(980);
    expect(Math.max(...steps)).toBeLessThan(1000);
  });
});

it('generators of other purposes, seeds and indices draw other numbers', () => {
  const first = (seed: number, purpose: string, index: number) =>
    generatorFor(seed, purpose, index).rand([4]).join();
  const draws = [first(1, 'a', 0), first(1, 'a', 1), first(1, 'b', 0), first(2, 'a', 0), first(11, 'a', 1)];
  expect(new Set(draws).size).toBe(5);
});

describe('batches to measure by', () => {
  it('are the same each time, and spread over the timesteps', () => {
    const measured = measuredBatches({ ...options, prior });
    expect(measuredBatches({ ...options, prior })).toEqual(measured);
    const ofSubject = measured.flatMap(({ timesteps }) => Array.from(timesteps.data, Number).slice(0, 2));
    expect(ofSubject).toEqual([125, 375, 625, 875]);
    expect(measuredBatches({ ...options, batch: 1 })).toHaveLength(4);
  });
});

describe('a noise offset', () => {
  const drawn = drawBatch(options, 3);

  it('of 0 leaves a batch as it is', () =>
    expect(withNoiseOffset(drawn, { noiseOffset: 0, seed: 3 }, 3)).toBe(drawn));

  it("shifts each channel of each picture by that much of torch's randn(b, c, 1, 1), and nothing else", () => {
    const { noise, ...rest } = withNoiseOffset(drawn, { noiseOffset: 0.1, seed: 3 }, 3);
    const { noise: before, ...same } = drawn;
    expect(rest).toEqual(same);
    const normal = generatorFor(3, 'noise offset', 3).randn([2, 4, 1, 1]);
    expect(new Set(normal).size).toBe(8);
    noise.data.forEach((value, i) =>
      expect(value).toBeCloseTo((before.data[i] as number) + 0.1 * (normal[i >> 2] as number), 6),
    );
    expect(withNoiseOffset(drawn, { noiseOffset: 0.1, seed: 3 }, 4).noise.data).not.toEqual(noise.data);
  });
});
