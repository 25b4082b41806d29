import path from 'node:path';
import { existsSync } from 'node:fs';
import { isFolder, makeFolder } from '../engine/checkpoints/files.ts';
import { removeLeftovers } from '../engine/checkpoints/leftovers.ts';
import { writeAtomically } from '../engine/checkpoints/writeSafetensors.ts';
import { Upscaler, upscaleInRecipe } from '../engine/pipelines/upscaler.ts';
import { listPictures, loadPicture } from '../engine/pictures/pictures.ts';
import { encodePng, marked, readRecipe } from '../engine/pictures/png.ts';
import type { JobContext } from '../../src-shared/domain/jobEvents.ts';
import type { ProviderChoice } from '../../src-shared/domain/providers.ts';
import type { Recipe } from '../../src-shared/domain/recipe.ts';
import type { UpscaleFactor } from '../../src-shared/domain/upscale.ts';
import { LikenessError, problem } from '../../src-shared/messages/index.ts';

export interface UpscaleTask {
  /** A picture, or a folder of them. Paths are absolute. */
  readonly pictures: string;
  readonly factor: UpscaleFactor;
  /** The folder for the enlarged pictures: each keeps its name, with the factor added. */
  readonly out: string;
  readonly provider: ProviderChoice;
}

export interface Upscaled {
  readonly path: string;
  readonly from: string;
  readonly width: number;
  readonly height: number;
}

/**
 * Enlarges pictures and writes them as PNGs; one that was made here keeps its recipe. Nothing is overwritten. Errors: those of
 * `loadPicture` and `Upscaler`, `upscale.twice`, `file.unwritable`.
 */
export async function upscale(
  { pictures, factor, out, provider }: UpscaleTask,
  { report, signal }: JobContext,
  onMade?: (made: Upscaled) => void,
): Promise<{ images: Upscaled[] }> {
  const files = isFolder(pictures) ? await listPictures(pictures) : [pictures];
  if (files.length === 0) throw problem('upscale.none', { folder: pictures });
  makeFolder(out);
  removeLeftovers(out);
  const images: Upscaled[] = [];
  const upscaler = Upscaler.open(factor, provider);
  const tell = (share: number): void =>
    report({ type: 'progress', done: images.length + share, total: files.length, label: 'pictures' });
  tell(0);
  try {
    for (const from of files) {
      const recipe = await recipeOf(from);
      if (recipe?.upscale) throw problem('upscale.twice', { file: from });
      const picture = await loadPicture(from);
      const large = await upscaler.enlarge(picture, {
        signal,
        onTile: (share) => tell(Math.min(share, 0.99)),
      });
      const png = recipe
        ? await encodePng(large, { ...recipe, upscale: upscaleInRecipe({ factor }) })
        : marked(await encodePng(large));
      const file = freeName(out, from, factor);
      writeAtomically(file, () => [png]);
      const made = { path: file, from, width: large.width, height: large.height };
      images.push(made);
      onMade?.(made);
      tell(0);
    }
  } finally {
    await upscaler.dispose();
  }
  return { images };
}

async function recipeOf(file: string): Promise<Recipe | undefined> {
  try {
    return await readRecipe(file);
  } catch (error) {
    if (error instanceof LikenessError) return undefined;
    throw error;
  }
}

/** "dog.jpg" → "dog-x2.png", with a number where that is taken. */
function freeName(folder: string, from: string, factor: UpscaleFactor): string {
  const { name } = path.parse(from);
  for (let i = 1; ; i++) {
    const file = path.join(folder, `${name}-x${factor}${i === 1 ? '' : ` (${i})`}.png`);
    if (!existsSync(file)) return file;
  }
}
