import { expect, it } from 'vitest';
import { ofUnfinishedBatches } from '../../../src-main/engine/pipelines/batchSize.ts';

it('a batch that was cut off is drawn again whole, others not at all', () => {
  const missing = new Set([5, 8, 9]);
  expect(ofUnfinishedBatches(10, 4, (i) => !missing.has(i))).toEqual([4, 5, 6, 7, 8, 9]);
  expect(ofUnfinishedBatches(10, 4, () => true)).toEqual([]);
  expect(ofUnfinishedBatches(3, 4, () => false)).toEqual([0, 1, 2]);
});
