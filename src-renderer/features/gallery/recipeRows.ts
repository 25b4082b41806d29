import { guidanceOf } from '../../../src-shared/domain/guidance.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import { texts } from '../../texts/index.ts';

export interface RecipeDifference {
  readonly name: string;
  readonly left: string;
  readonly right: string;
}

/** A name and its value in words. */
export type RecipeRow = readonly [name: string, value: string];

/** A recipe without its prompt and weights; values are empty where a setting is off. */
export function recipeRows(recipe: Recipe): RecipeRow[] {
  const words = texts.recipe;
  const { upscale, clipSkip = 0, unet, embeddings = [], image, mask, strength = 1 } = recipe;
  const { guidance, baseGuidance, guidanceStop } = guidanceOf(recipe);
  return [
    [words.negative, recipe.negative],
    [words.seed, String(recipe.seed)],
    [words.steps, String(recipe.steps)],
    [words.guidance, String(guidance)],
    [words.baseGuidance, baseGuidance > 0 ? String(baseGuidance) : ''],
    [words.guidanceStop, guidanceStop < 1 ? `${Math.round(100 * guidanceStop)}%` : ''],
    [words.sampler, recipe.scheduler],
    [words.clipSkip, clipSkip > 0 ? String(clipSkip) : ''],
    [words.rules, recipe.promptRules === 'a1111' ? words.rulesOn : ''],
    [words.unet, unet?.name ?? ''],
    [words.embeddings, embeddings.map(({ word }) => word).join(', ')],
    [words.over, image ? words.overWith(image.name, Math.round(100 * strength), mask !== undefined) : ''],
    [words.startingNoise, recipe.latents === undefined ? '' : words.fromFile],
    [words.size, `${recipe.width} × ${recipe.height}`],
    [
      words.enlarged,
      upscale ? texts.enlarge.done(upscale.factor, Math.round(100 * (upscale.strength ?? 0))) : '',
    ],
  ];
}

function allRows(recipe: Recipe, loras: readonly string[]): RecipeRow[] {
  const words = texts.recipe;
  return [
    [words.prompt, recipe.prompt],
    ...recipeRows(recipe),
    [words.model, recipe.model.name],
    [words.lora, loras.join(', ')],
  ];
}

/** How two recipes differ; empty where one is not known. `name` puts the LoRAs of one into words. */
export function recipeDifferences(
  left: Recipe | null | undefined,
  right: Recipe | null | undefined,
  name: (recipe: Recipe) => readonly string[],
): RecipeDifference[] {
  if (!left || !right) return [];
  const others = new Map(allRows(right, name(right)));
  return allRows(left, name(left))
    .map(([name, value]) => ({ name, left: value, right: others.get(name) ?? '' }))
    .filter(({ left: one, right: other }) => one !== other);
}
