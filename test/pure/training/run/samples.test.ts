import { expect, it } from 'vitest';
import { isSampled, sampleCount } from '../../../../src-main/engine/training/run/plan.ts';

it.each([
  ['in even parts', 8, 2, [0, 2, 4, 6, 8]],
  ['with a rest at the end', 7, 2, [0, 2, 4, 6, 7]],
  ['as long as one part', 3, 3, [0, 3]],
  ['shorter than one part', 2, 3, [0]],
  ['without samples', 7, null, []],
])('a run %s is sampled where it begins, at each part and where it ends', (_, steps, sampleEvery, drawn) => {
  const settings = { steps, sampleEvery };
  const all = Array.from({ length: steps + 1 }, (_, step) => step);
  expect(all.filter((step) => isSampled(step, settings))).toEqual(drawn);
  expect(sampleCount(settings)).toBe(drawn.length);
});
