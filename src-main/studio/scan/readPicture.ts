import { readFile } from 'node:fs/promises';
import { sharp } from '../../sharp.ts';
import { sha256 } from '../../engine/checkpoints/contentHash.ts';
import { fromJson } from '../../../src-shared/domain/fromJson.ts';
import { recipeSchema, type Recipe } from '../../../src-shared/domain/recipe.ts';
import { orNothing } from '../../../src-shared/orNothing.ts';
import { openPicture } from '../../engine/pictures/pictures.ts';
import { readTexts } from '../../engine/pictures/png.ts';

export interface ReadPicture {
  readonly width: number;
  readonly height: number;
  /** SHA-256 of the file, hex. */
  readonly hash: string;
  /** Null in a picture that was not made here. */
  readonly recipe: Recipe | null;
}

/** Reads from a picture file what the library keeps of it. Errors: those of `openPicture`. */
export async function readPicture(file: string): Promise<ReadPicture> {
  await openPicture(file);
  const bytes = await readFile(file);
  const { width, height } = await sharp(bytes).metadata();
  const said = orNothing(() => readTexts(bytes).get('likeness'));
  return {
    width,
    height,
    hash: sha256(bytes),
    recipe: recipeSchema.safeParse(fromJson(said ?? '')).data ?? null,
  };
}
