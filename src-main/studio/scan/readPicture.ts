import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { recipeSchema, type Recipe } from '../../../src-shared/domain/recipe.ts';
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
  return {
    width,
    height,
    hash: createHash('sha256').update(bytes).digest('hex'),
    recipe: recipeIn(bytes),
  };
}

function recipeIn(bytes: Buffer): Recipe | null {
  try {
    return recipeSchema.parse(JSON.parse(readTexts(bytes).get('likeness') ?? ''));
  } catch {
    return null;
  }
}
