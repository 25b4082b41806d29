import { describe, expect, it } from 'vitest';
import { recipeDifferences, recipeRows } from '../../../src-renderer/features/gallery/recipeRows.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';

const recipe: Recipe = {
  version: '1',
  model: { name: 'mini', hash: 'ab' },
  loras: [{ path: 'runs/rex', hash: 'cd', weight: 1 }],
  ...{ prompt: 'a dog', negative: '', seed: 5, steps: 25, guidance: 7.5, scheduler: 'pndm' },
  ...{ width: 128, height: 128 },
};

describe('the differences of two recipes', () => {
  it('are none for the same recipe, nor where one is unknown', () => {
    expect(recipeDifferences(recipe, { ...recipe })).toEqual([]);
    expect(recipeDifferences(recipe, null)).toEqual([]);
    expect(recipeDifferences(undefined, recipe)).toEqual([]);
  });

  it.each<[string, Partial<Recipe>, string, string]>([
    ['Prompt', { prompt: 'a cat' }, 'a dog', 'a cat'],
    ['Seed', { seed: 6 }, '5', '6'],
    ['Size', { height: 192 }, '128 × 128', '128 × 192'],
    ['Subject', { loras: [] }, 'rex × 1', ''],
    ['Base model guidance', { baseGuidance: 3 }, '', '3'],
    ['Guidance stops at', { guidanceStop: 0.6 }, '', '60%'],
  ])('name %s with both values', (name, changed, left, right) => {
    expect(recipeDifferences(recipe, { ...recipe, ...changed })).toEqual([{ name, left, right }]);
  });

  it('do not tell an old recipe from a new one that says the same', () => {
    expect(recipeDifferences(recipe, { ...recipe, baseGuidance: 0, guidanceStop: 1 })).toEqual([]);
    const values = recipeRows(recipe).map(([, value]) => value);
    expect(values).toEqual(['', '5', '25', '7.5', '', '', 'pndm', '128 × 128']);
  });
});
