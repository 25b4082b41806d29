import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { recipeFolder } from '../paths.ts';

/** Catalogue models that training never sees: the test subjects, and the sample subject. */
export function heldOutIds(): Set<string> {
  return new Set(JSON.parse(readFileSync(join(recipeFolder, 'data', 'heldOut.json'), 'utf8')) as string[]);
}
