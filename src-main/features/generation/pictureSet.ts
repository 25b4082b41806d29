import { existsSync } from 'node:fs';
import path from 'node:path';
import { readRecipe } from '../../engine/pictures/png.ts';
import type { PictureRequest } from '../../engine/pipelines/textToImage.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import { guidanceOf } from '../../../src-shared/domain/guidance.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { OpenedModel } from './openForGeneration.ts';
import type { GenerateRequest } from './request.ts';

/** Where each picture of a set goes: its row's name as a PNG; with a number where a prompt has several. */
export function setFiles(
  { out, count }: Pick<GenerateRequest, 'out' | 'count'>,
  names: readonly string[],
  pictures: readonly PictureRequest[],
): Map<PictureRequest, string> {
  return new Map(
    pictures.map((picture, index) => {
      const name = path.parse(names[Math.floor(index / count)] as string).name;
      return [picture, path.join(out, `${name}${count > 1 ? `-${(index % count) + 1}` : ''}.png`)];
    }),
  );
}

/**
 * The pictures of a set that are still to be made. An existing one must have been made as this request would make it. Errors:
 * `set.exists` without `resume`, `set.otherSettings`.
 */
export async function missingPictures(
  { out, resume = false }: Pick<GenerateRequest, 'out' | 'resume'>,
  { isOf }: Pick<OpenedModel, 'isOf'>,
  files: ReadonlyMap<PictureRequest, string>,
  recipeOf: (picture: PictureRequest) => Recipe,
): Promise<PictureRequest[]> {
  const there = [...files].filter(([, file]) => existsSync(file));
  const [first] = there;
  if (first && !resume) throw problem('set.exists', { folder: out, file: first[1] });
  if (first) {
    const complete = (recipe: Recipe): Recipe => ({ ...recipe, ...guidanceOf(recipe) });
    const [found, wanted] = [complete(await readRecipe(first[1])), complete(recipeOf(first[0]))];
    for (const key of [
      'seed',
      'prompt',
      'negative',
      'steps',
      'guidance',
      'baseGuidance',
      'guidanceStop',
      'clipSkip',
      'prediction',
      'scheduler',
      'width',
      'height',
      'strength',
      'promptRules',
    ] as const)
      if (found[key] !== wanted[key])
        throw problem('set.otherSettings', {
          ...{ file: first[1], what: key },
          ...{ is: String(found[key]), wanted: String(wanted[key]) },
        });
    if (!isOf(found.model.hash))
      throw problem('set.otherSettings', {
        ...{ file: first[1], what: 'model' },
        ...{ is: found.model.name, wanted: wanted.model.name },
      });
  }
  return [...files.keys()].filter((picture) => !existsSync(files.get(picture) as string));
}
