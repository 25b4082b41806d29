import type { ImageDetail } from '../../../src-shared/domain/image.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import type { Run } from '../../../src-shared/domain/run.ts';
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
    const parts = path.split(/[\\/]/).filter(Boolean);
    const last = parts.at(-1) ?? path;
    const step = /^\d+$/.test(last) && parts.length > 1 ? Number(last) : null;
    const folder = step === null ? last : (parts.at(-2) ?? last);
    const own = place === 0 ? runs.find(({ id }) => id === made?.runId) : undefined;
    const named = runs.filter((run) => run.folder.split('/').at(-1) === folder);
    const run = own ?? (named.length === 1 ? named[0] : undefined);
    const name = texts.recipe.ofRun(run?.name ?? folder, own ? (made?.step ?? step) : step);
    return weight === 1 ? name : `${name} × ${weight}`;
  });
}
