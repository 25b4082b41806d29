import { describe, expect, it } from 'vitest';
import { loraNames } from '../../../src-renderer/features/gallery/loraNames.ts';
import { recipeDifferences, recipeRows } from '../../../src-renderer/features/gallery/recipeRows.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';

const recipe: Recipe = {
  version: '1',
  model: { name: 'mini', hash: 'ab' },
  loras: [{ path: 'runs/rex', hash: 'cd', weight: 1 }],
  ...{ prompt: 'a dog', negative: '', seed: 5, steps: 25, guidance: 7.5, scheduler: 'pndm' },
  ...{ width: 128, height: 128 },
};

const runs = [
  { id: 1, name: 'Rex 1', folder: 'subjects/rex/runs/2026-11-29' },
  { id: 2, name: 'Mug 1', folder: 'subjects/mug/runs/2026-11-28' },
  { id: 3, name: 'Vase 1', folder: 'subjects/vase/runs/2026-11-30' },
  { id: 4, name: 'Bear 1', folder: 'subjects/bear/runs/2026-11-30' },
];
const named = (one: Recipe): string[] => loraNames(one, runs);

describe('the names of LoRAs', () => {
  const called = (path: string, weight = 1, made?: { runId: number; step: number | null }): string[] =>
    loraNames({ ...recipe, loras: [{ path, hash: 'cd', weight }] }, runs, made);

  it('are those of runs, with the step', () => {
    expect(called('2026-11-29/000240')).toEqual(['Rex 1, step 240']);
    expect(called('2026-11-28\\000010', 0.8)).toEqual(['Mug 1, step 10 × 0.8']);
    const two = [
      { path: '2026-11-29/000240', hash: 'cd', weight: 1 },
      { path: '2026-11-28/000010', hash: 'ce', weight: 0.5 },
    ];
    expect(loraNames({ ...recipe, loras: two }, runs, { runId: 1, step: 240 })).toEqual([
      'Rex 1, step 240',
      'Mug 1, step 10 × 0.5',
    ]);
  });

  it('are the folder’s where two runs have it, unless the picture knows its run', () => {
    expect(called('2026-11-30/000080')).toEqual(['2026-11-30, step 80']);
    expect(called('2026-11-30/000080', 1, { runId: 4, step: 80 })).toEqual(['Bear 1, step 80']);
  });

  it('are the file’s where no run is known', () => {
    expect(called('loras/watercolour.safetensors', 0.7)).toEqual(['watercolour.safetensors × 0.7']);
    expect(called('removed/000320')).toEqual(['removed, step 320']);
  });
});

describe('the differences of two recipes', () => {
  it('are none for the same recipe, nor where one is unknown', () => {
    expect(recipeDifferences(recipe, { ...recipe }, named)).toEqual([]);
    expect(recipeDifferences(recipe, null, named)).toEqual([]);
    expect(recipeDifferences(undefined, recipe, named)).toEqual([]);
  });

  it.each<[string, Partial<Recipe>, string, string]>([
    ['Prompt', { prompt: 'a cat' }, 'a dog', 'a cat'],
    ['Seed', { seed: 6 }, '5', '6'],
    ['Size', { height: 192 }, '128 × 128', '128 × 192'],
    ['Subject', { loras: [] }, 'rex', ''],
    ['Base model guidance', { baseGuidance: 3 }, '', '3'],
    ['Guidance stops at', { guidanceStop: 0.6 }, '', '60%'],
    ['Text layers left out', { clipSkip: 2 }, '', '2'],
    ['Weights in prompts', { promptRules: 'a1111' }, '', 'on'],
    ['U-Net from', { unet: { name: 'other', hash: '0' } }, '', 'other'],
    ['Embeddings', { embeddings: [{ name: 'a.pt', word: 'easy', hash: '0' }] }, '', 'easy'],
    [
      'Drawn over',
      { image: { name: 'sofa.jpg', hash: '0' }, mask: { name: 'm.png', hash: '1' }, strength: 0.5 },
      '',
      'sofa.jpg, where it is marked, 50% redrawn',
    ],
    ['Starting noise', { latents: '0' }, '', 'from a file'],
    [
      'Enlarged',
      { upscale: { factor: 2, network: { name: 'span-x2', hash: '0' }, strength: 0.4 } },
      '',
      '×2, 40% redrawn',
    ],
  ])('name %s with both values', (name, changed, left, right) => {
    expect(recipeDifferences(recipe, { ...recipe, ...changed }, named)).toEqual([{ name, left, right }]);
  });

  it('do not tell an old recipe from a new one that says the same', () => {
    expect(recipeDifferences(recipe, { ...recipe, baseGuidance: 0, guidanceStop: 1 }, named)).toEqual([]);
    const values = recipeRows(recipe).map(([, value]) => value);
    expect(values.filter((value) => value !== '')).toEqual(['5', '25', '7.5', 'pndm', '128 × 128']);
  });
});
