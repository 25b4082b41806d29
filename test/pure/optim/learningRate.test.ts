import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { learningRateFactor, type LearningRateOptions } from '../../../src-main/engine/optim/learningRate.ts';

const file = `${import.meta.dirname}/../../golden/fixtures/optim/schedules.json`;
type Case = LearningRateOptions & { readonly factors: readonly number[] };
const cases = JSON.parse(readFileSync(file, 'utf8')) as Case[];

it.each(cases)(
  '$schedule with $warmup of $steps steps of warm-up goes as in diffusers',
  ({ factors, ...options }) => {
    const ours = factors.map((_, index) => learningRateFactor(index, options));
    for (const [index, factor] of factors.entries()) expect(ours[index]).toBeCloseTo(factor, 12);
  },
);
