import { guidanceOf } from '../../../src-shared/domain/guidance.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import { texts } from '../../texts/index.ts';

export interface RecipeDifference {
  readonly name: string;
  readonly left: string;
  readonly right: string;
}

/** What a recipe says of guidance; empty where it is the plain one, to the end. */
export function guidanceRows(recipe: Recipe): [string, string][] {
  const words = texts.recipe;
  const { guidance, baseGuidance, guidanceStop } = guidanceOf(recipe);
  return [
    [words.guidance, String(guidance)],
    [words.baseGuidance, baseGuidance > 0 ? String(baseGuidance) : ''],
    [words.guidanceStop, guidanceStop < 1 ? `${Math.round(100 * guidanceStop)}%` : ''],
  ];
}

function columns(recipe: Recipe): [string, string][] {
  const words = texts.recipe;
  return [
    [words.prompt, recipe.prompt],
    [words.negative, recipe.negative],
    [words.seed, String(recipe.seed)],
    [words.steps, String(recipe.steps)],
    ...guidanceRows(recipe),
    [words.sampler, recipe.scheduler],
    [words.size, `${recipe.width} × ${recipe.height}`],
    [words.model, recipe.model.name],
    [
      words.lora,
      recipe.loras.map(({ path, weight }) => `${path.split(/[\\/]/).at(-1) ?? path} × ${weight}`).join(', '),
    ],
  ];
}

/** Where two recipes are not the same; nothing where one is not known. */
export function recipeDifferences(
  left: Recipe | null | undefined,
  right: Recipe | null | undefined,
): RecipeDifference[] {
  if (!left || !right) return [];
  const others = new Map(columns(right));
  return columns(left)
    .map(([name, value]) => ({ name, left: value, right: others.get(name) ?? '' }))
    .filter(({ left: one, right: other }) => one !== other);
}
