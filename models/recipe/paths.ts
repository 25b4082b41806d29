import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of these scripts; its own `node_modules` holds the data packages. */
export const recipeFolder = fileURLToPath(new URL('.', import.meta.url));
export const repositoryFolder = join(recipeFolder, '..', '..');
export const packagesFolder = join(recipeFolder, 'node_modules');

/** `--name value` from the command line, else the environment's LIKENESS_NAME, else the fallback. */
export function option(name: string, fallback: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return (
    (at >= 0 ? process.argv[at + 1] : undefined) ?? process.env[`LIKENESS_${name.toUpperCase()}`] ?? fallback
  );
}

export function numberOption(name: string, fallback: number): number {
  const value = Number(option(name, String(fallback)));
  if (!Number.isFinite(value)) throw new Error(`--${name} needs a number.`);
  return value;
}

/** Where everything this recipe fetches and makes goes (`--out`); git-ignored unless told otherwise. */
export function outFolder(): string {
  return option('out', join(repositoryFolder, '.cache', 'recipe'));
}

/** The unpacked sources; says which command makes them when they are not there. */
export function cacheFolder(out = outFolder()): string {
  return join(out, 'cache');
}

export function needFile(file: string): string {
  if (!existsSync(file))
    throw new Error(`${file} is missing; run \`npx tsx models/recipe/data/fetchData.ts\` first.`);
  return file;
}
