import type { ImageDetail } from '../../../src-shared/domain/image.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import type { Run } from '../../../src-shared/domain/run.ts';
import { loraInRecipe } from '../../state/recipeDraft.ts';
import { texts } from '../../texts/index.ts';

type Known = Pick<Run, 'id' | 'name' | 'folder'>;
/** What the library knows of a picture besides its recipe. */
type Made = Pick<ImageDetail, 'runId' | 'step'>;

/**
 * Each LoRA of a recipe in words: "Rex 1, step 240" for a checkpoint, else the file's name. A recipe keeps the last two parts of a
 * path; `runs` of that folder's name give theirs, and a picture's own run is its first LoRA.
 */
export function loraNames(recipe: Recipe, runs: readonly Known[], made?: Made): string[] {
  return recipe.loras.map(({ path, weight }, place) => {
    const { name: folder, step, run: named } = loraInRecipe(path, runs);
    const own = place === 0 ? runs.find(({ id }) => id === made?.runId) : undefined;
    const run = own ?? named;
    const name = texts.recipe.ofRun(run?.name ?? folder, own ? (made?.step ?? step) : step);
    return weight === 1 ? name : `${name} × ${weight}`;
  });
}
