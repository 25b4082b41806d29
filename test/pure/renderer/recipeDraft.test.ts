import { describe, expect, it } from 'vitest';
import { takenOver, type Known } from '../../../src-renderer/state/recipeDraft.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';

const known: Known = {
  models: [
    { id: 1, hash: 'aaaa1111', path: '/app/models/likeness-mini', source: 'shipped' },
    { id: 2, hash: 'bbbb2222', path: '/data/tiny-sd', source: 'linked' },
  ],
  runs: [
    { id: 7, folder: 'subjects/rex/runs/2026-11-29' },
    { id: 8, folder: 'subjects/mug/runs/2026-11-28' },
  ],
  files: [
    { id: 3, kind: 'lora', path: '/data/loras/watercolour.safetensors' },
    { id: 4, kind: 'embedding', path: 'D:\\words\\easy.pt' },
  ],
};
const rex = { path: '2026-11-29/000240', hash: 'cd', weight: 0.9 };
const mug = { path: '2026-11-28/000080', hash: 'ce', weight: 1 };
const recipe: Recipe = {
  ...{ version: '1', model: { name: 'likeness-mini', hash: 'aaaa' }, loras: [] },
  ...{ prompt: 'a dog', negative: '', seed: 5, steps: 25, guidance: 7.5, scheduler: 'pndm' },
  ...{ width: 128, height: 128 },
};
const nothing = {
  modelId: null,
  unetId: null,
  loras: [],
  files: [],
  apart: false,
  places: [],
  placePrompts: [],
  lost: [],
};
const found = (changed: Partial<Recipe>, made?: Parameters<typeof takenOver>[2]) =>
  takenOver({ ...recipe, ...changed }, known, made);

describe('what a form takes over from a recipe', () => {
  it('is the model, by its hash', () => {
    expect(found({})).toEqual(nothing);
    const other = { name: 'tiny-sd', hash: 'bbbb22' };
    expect(found({ model: other })).toEqual({ ...nothing, modelId: 2 });
    expect(found({ model: { name: 'x/sd-1.5', hash: 'cccc' } })).toEqual({ ...nothing, lost: ['x/sd-1.5'] });
  });

  it('is every run, file and embedding that the library has, and the names of others', () => {
    const loras = [
      ...[rex, mug],
      { path: 'watercolour.safetensors', hash: 'cf', weight: 0.4 },
      { path: 'ink.safetensors', hash: 'd0', weight: 1 },
    ];
    const embeddings = [
      { name: 'easy.pt', word: 'easy', hash: 'd1' },
      { name: 'hard.pt', word: 'hard', hash: 'd2' },
    ];
    expect(found({ loras, embeddings })).toEqual({
      ...nothing,
      loras: [
        { runId: 7, step: 240, weight: 0.9 },
        { runId: 8, step: 80, weight: 1 },
      ],
      files: [
        { id: 3, weight: 0.4 },
        { id: 4, weight: 1 },
      ],
      lost: ['ink.safetensors', 'hard.pt'],
    });
    // The library knows a picture's own run, whatever its folder is called now.
    const renamed = { ...rex, path: 'moved/000240' };
    expect(found({ loras: [renamed, mug] }, { runId: 7, step: null }).loras).toEqual([
      { runId: 7, step: null, weight: 0.9 },
      { runId: 8, step: 80, weight: 1 },
    ]);
  });

  it('are the places of subjects that were kept apart', () => {
    const left = { box: { left: 0, top: 0, right: 0.5, bottom: 1 }, prompt: 'a sks dog', lora: rex };
    const right = { box: { left: 0.5, top: 0, right: 1, bottom: 1 }, prompt: 'a zwx mug', lora: mug };
    const loras = [{ ...rex, weight: 0 }];
    expect(found({ loras, regions: [left, right] })).toEqual({
      ...nothing,
      apart: true,
      loras: [
        { runId: 7, step: 240, weight: 0.9 },
        { runId: 8, step: 80, weight: 1 },
      ],
      places: ['left', 'right'],
      placePrompts: ['a sks dog', 'a zwx mug'],
    });
    const elsewhere = { ...right, box: { left: 0.6, top: 0.1, right: 1, bottom: 1 } };
    expect(found({ loras: [rex], regions: [left, elsewhere] })).toEqual({
      ...nothing,
      loras: [{ runId: 7, step: 240, weight: 0.9 }],
      lost: ['the boxes of its subjects'],
    });
  });

  it('is the model whose U-Net drew it', () => {
    const changed = { model: { name: 'likeness-mini', hash: 'dddd' }, unet: { name: 'tiny-sd', hash: 'e1' } };
    expect(found(changed)).toEqual({ ...nothing, unetId: 2 });
  });

  it('names what no form has', () => {
    const changed = { model: { name: 'tiny-sd', hash: 'dddd' }, latents: 'e0' };
    expect(found({ ...changed, unet: { name: 'other/unet', hash: 'e1' } })).toEqual({
      ...nothing,
      modelId: 2,
      lost: ['the U-Net of other/unet', 'its starting noise from a file'],
    });
  });
});
