import path from 'node:path';
import { statOrNothing } from '../../engine/checkpoints/files.ts';
import { readRecipe } from '../../engine/pipelines/png.ts';
import { schedulerNames } from '../../engine/schedulers/config.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { OpenedModel } from './openForGeneration.ts';
import type { GenerateRequest } from './request.ts';

/** A recipe that a request was read from, with paths resolved. */
export interface RecipeSource {
  readonly file: string;
  readonly recipe: Recipe;
}

/**
 * What the picture in `file` was made with; the model is left out where it is no longer found. Errors: those of `readRecipe`,
 * `picture.badRecipe`.
 */
export async function requestFromRecipe(file: string): Promise<Partial<GenerateRequest>> {
  const written = await readRecipe(file);
  const scheduler = schedulerNames.find((name) => name === written.scheduler);
  if (!scheduler)
    throw problem('picture.badRecipe', { file, why: `there is no sampler "${written.scheduler}"` });
  const resolve = (source: string): string => path.resolve(path.dirname(file), source);
  const model = resolve(written.model.path ?? written.model.name);
  const recipe: Recipe = {
    ...written,
    model: { ...written.model, path: model },
    loras: written.loras.map((lora) => ({ ...lora, path: resolve(lora.path) })),
  };
  const { prompt, negative, seed, steps, guidance, width, height, loras } = recipe;
  return {
    ...{ prompts: [prompt], negative, seed, steps, guidance, size: { width, height }, scheduler, loras },
    ...(statOrNothing(model) && { model }),
    recipe: { file, recipe },
  };
}

/**
 * Throws `recipe.differs` where a model or LoRA that the recipe names has changed since, `recipe.lost` where its starting
 * noise is wanting; what was replaced on purpose is only warned about.
 */
export function checkRecipe(
  { file, recipe }: RecipeSource,
  request: Pick<GenerateRequest, 'model' | 'latents'>,
  opened: OpenedModel,
  noiseHash: string | undefined,
  report: JobContext['report'],
): void {
  const changed = opened.loras.find((lora) =>
    recipe.loras.some(({ path: named, hash }) => named === lora.path && hash !== lora.hash),
  );
  if (changed) throw problem('recipe.differs', { file, what: 'LoRA', found: changed.path });
  if (opened.hash !== recipe.model.hash) {
    const differs = problem('recipe.differs', { file, what: 'model', found: request.model });
    if (request.model === recipe.model.path) throw differs;
    report({ type: 'warning', message: differs.message });
  }
  if (recipe.latents && !request.latents) throw problem('recipe.lost', { file });
  if (recipe.latents !== noiseHash)
    report({ type: 'warning', message: `${file} was made from other starting noise.` });
}
