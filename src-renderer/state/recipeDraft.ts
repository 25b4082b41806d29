import type { LoraChoice } from '../../src-shared/contract/generation.ts';
import type { Box } from '../../src-shared/domain/box.ts';
import type { LoraFile } from '../../src-shared/domain/loraFile.ts';
import type { Model } from '../../src-shared/domain/model.ts';
import type { Recipe } from '../../src-shared/domain/recipe.ts';
import type { Run } from '../../src-shared/domain/run.ts';
import { texts } from '../texts/index.ts';
import { placeNames, places, type PlaceName } from './places.ts';

type KnownRun = Pick<Run, 'id' | 'folder'>;

/** What a library has that a recipe may name. */
export interface Known {
  readonly models: readonly Pick<Model, 'id' | 'hash' | 'path' | 'source'>[];
  readonly runs: readonly KnownRun[];
  readonly files: readonly Pick<LoraFile, 'id' | 'kind' | 'path'>[];
}

/** What a form takes over from a recipe beside plain numbers and words. */
export interface TakenOver {
  readonly modelId: number | null;
  readonly unetId: number | null;
  readonly loras: LoraChoice[];
  readonly files: { id: number; weight: number }[];
  readonly apart: boolean;
  readonly places: PlaceName[];
  readonly placePrompts: string[];
  /** What the recipe has and the library lacks, in words. */
  readonly lost: readonly string[];
}

/** What a recipe calls a LoRA: its folder and step for a checkpoint, else the file's name; and the run of that folder, if one alone has it. */
export function loraInRecipe<R extends KnownRun>(
  path: string,
  runs: readonly R[],
): { readonly name: string; readonly step: number | null; readonly run: R | undefined } {
  const parts = path.split(/[\\/]/).filter(Boolean);
  const last = parts.at(-1) ?? path;
  const step = /^\d+$/.test(last) && parts.length > 1 ? Number(last) : null;
  const name = step === null ? last : (parts.at(-2) ?? last);
  const named = runs.filter(({ folder }) => folder.split('/').at(-1) === name);
  return { name, step, run: named.length === 1 ? named[0] : undefined };
}

/** Finds in the library what a recipe names. `made`: what the library knows of the picture besides. */
export function takenOver(
  recipe: Recipe,
  { models, runs, files }: Known,
  made?: { readonly runId: number | null; readonly step: number | null },
): TakenOver {
  const lost: string[] = [];
  const words = texts.recipe;
  const fileOf = (name: string, kind: LoraFile['kind']): Known['files'][number] | undefined =>
    files.find((file) => file.kind === kind && nameOf(file.path) === nameOf(name));
  const choiceOf = (lora: Recipe['loras'][number], own: boolean): LoraChoice | undefined => {
    const { run, step } = loraInRecipe(lora.path, runs);
    const { weight } = lora;
    if (own && made?.runId) return { runId: made.runId, step: made.step, weight };
    return run && { runId: run.id, step, weight };
  };

  const boxes = (recipe.regions ?? []).map((region, i) => ({
    choice: choiceOf(region.lora, i === 0),
    place: placeNames.find((name) => isSame(places[name], region.box)),
    ...region,
  }));
  const apart = boxes.length > 0 && boxes.every(({ choice, place }) => choice && place);
  if (boxes.length > 0 && !apart) lost.push(words.boxes);

  const loras: LoraChoice[] = apart ? boxes.flatMap(({ choice }) => choice ?? []) : [];
  const chosen: TakenOver['files'] = [];
  if (!apart)
    for (const [i, lora] of recipe.loras.entries()) {
      const choice = choiceOf(lora, i === 0);
      const file = choice ? undefined : fileOf(lora.path, 'lora');
      if (choice) loras.push(choice);
      else if (file) chosen.push({ id: file.id, weight: lora.weight });
      else lost.push(loraInRecipe(lora.path, runs).name);
    }
  for (const { name } of recipe.embeddings ?? []) {
    const file = fileOf(name, 'embedding');
    if (file) chosen.push({ id: file.id, weight: 1 });
    else lost.push(nameOf(name));
  }

  const { hash, name } = recipe.model;
  const modelNamed = (wanted: string): Known['models'][number] | undefined =>
    models.find((one) => nameOf(one.path) === nameOf(wanted));
  // Another U-Net changes the hash.
  const model = models.find((one) => one.hash.startsWith(hash)) ?? (recipe.unet && modelNamed(name));
  const unet = recipe.unet && modelNamed(recipe.unet.name);
  // Runs bring their own model.
  if (!model && loras.length === 0) lost.push(name);
  if (recipe.unet && !unet) lost.push(words.ofUnet(recipe.unet.name));
  if (recipe.latents !== undefined) lost.push(words.noise);
  return {
    modelId: model && model.source !== 'shipped' && loras.length === 0 ? model.id : null,
    unetId: unet?.id ?? null,
    ...{ loras, files: chosen, apart, lost },
    places: apart ? boxes.flatMap(({ place }) => place ?? []) : [],
    placePrompts: apart ? boxes.map(({ prompt }) => prompt) : [],
  };
}

const nameOf = (path: string): string => path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;

const isSame = (a: Box, b: Box): boolean =>
  (['left', 'top', 'right', 'bottom'] as const).every((side) => Math.abs(a[side] - b[side]) < 1e-6);
