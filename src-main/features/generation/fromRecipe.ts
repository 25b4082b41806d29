import path from 'node:path';
import { statOrNothing } from '../../engine/checkpoints/files.ts';
import { readRecipe } from '../../engine/pictures/png.ts';
import { schedulerNames } from '../../engine/schedulers/config.ts';
import { guidanceOf } from '../../../src-shared/domain/guidance.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import { placeOf } from './knownPlaces.ts';
import type { OpenedModel } from './openForGeneration.ts';
import type { OverPicture } from './overPicture.ts';
import type { GenerateRequest, RecipeSource } from './request.ts';

/** Options beside `--recipe`; a model and LoRAs named here say where the recipe's are now. */
export type SaidWithRecipe = Pick<GenerateRequest, 'out' | 'provider'> &
  Partial<
    Pick<
      GenerateRequest,
      'precision' | 'model' | 'unet' | 'loras' | 'embeddings' | 'partial' | 'latents' | 'saveLatents'
    >
  > & {
    /** Where the picture and the mask of the recipe are now. */
    readonly image?: string;
    readonly mask?: string;
    /** Where other things of these hashes are, as far as the caller knows; the rest is looked for. */
    readonly places?: Readonly<Record<string, string>>;
  };

/** The request that makes the picture in `file` again. Errors: `recipe.lost`, those of `readRecipe`. */
export async function requestFromRecipe(
  file: string,
  { image, mask, places = {}, ...said }: SaidWithRecipe,
): Promise<GenerateRequest> {
  const recipe = await readRecipe(file);
  const scheduler = schedulerNames.find((name) => name === recipe.scheduler);
  if (!scheduler)
    throw problem('picture.badRecipe', { file, why: `there is no sampler "${recipe.scheduler}"` });
  if (recipe.latents && !said.latents)
    throw problem('recipe.lost', { file, what: 'starting noise from a file', option: '--latents' });
  const found = (hash: string, name: string, option: string): string => {
    // The recipes of older versions have a path in place of a name.
    const beside = path.resolve(path.dirname(file), name);
    const place = places[hash] ?? placeOf(hash) ?? (statOrNothing(beside) && beside);
    if (place !== undefined) return place;
    throw problem('recipe.lost', { file, what: `${name} (hash ${hash})`, option });
  };
  const { prompt, negative, seed, steps, width, height, strength, maskPadding, upscale } = recipe;
  const over = recipe.image && {
    image: image ?? found(recipe.image.hash, recipe.image.name, '--image'),
    strength: strength ?? 1,
    ...(recipe.mask && { mask: mask ?? found(recipe.mask.hash, recipe.mask.name, '--mask') }),
    ...(maskPadding !== undefined && { maskPadding }),
  };
  return {
    ...{ prompts: [prompt], negative, seed, steps, ...guidanceOf(recipe) },
    ...{ size: { width, height }, scheduler, count: 1 },
    ...said,
    ...(recipe.unet && { unet: said.unet ?? found(recipe.unet.hash, recipe.unet.name, '--unet') }),
    model: said.model ?? found(recipe.model.hash, recipe.model.path ?? recipe.model.name, '--model'),
    loras: said.loras?.length
      ? said.loras
      : recipe.loras.map((lora) => ({ path: found(lora.hash, lora.path, '--lora'), weight: lora.weight })),
    ...(over && { over }),
    ...(upscale && {
      upscale: {
        factor: upscale.factor,
        ...(upscale.strength !== undefined && { strength: upscale.strength }),
      },
    }),
    ...(recipe.regions && {
      regions: recipe.regions.map(({ box, prompt: own, lora }) => ({
        ...{ box, prompt: own },
        lora: { path: found(lora.hash, lora.path, '--region'), weight: lora.weight },
      })),
    }),
    ...(recipe.prediction && { prediction: recipe.prediction }),
    ...(recipe.clipSkip !== undefined && { clipSkip: recipe.clipSkip }),
    embeddings: said.embeddings?.length
      ? said.embeddings
      : (recipe.embeddings ?? []).map(({ hash, name, word }) => ({
          path: found(hash, name, '--embedding'),
          word,
        })),
    ...(recipe.promptRules && { promptRules: recipe.promptRules }),
    recipe: { file, recipe },
  };
}

/** Throws `recipe.differs` unless the model, the LoRAs and the starting noise are those of the recipe. */
export function checkRecipe(
  { file, recipe }: RecipeSource,
  { model, latents = '', over }: Pick<GenerateRequest, 'model' | 'latents' | 'over'>,
  opened: OpenedModel,
  found: {
    readonly noise?: string | undefined;
    readonly over?: OverPicture['recipe'] | undefined;
    readonly upscale?: Recipe['upscale'];
  },
): void {
  const differs = (what: string, found: string): Error => problem('recipe.differs', { file, what, found });
  if (!opened.isOf(recipe.model.hash)) throw differs('model', model);
  if (opened.loras.length !== recipe.loras.length)
    throw differs('number of LoRAs', String(opened.loras.length));
  for (const [i, lora] of opened.loras.entries()) {
    const wanted = recipe.loras[i];
    if (!wanted || !lora.isOf(wanted.hash) || lora.weight !== wanted.weight)
      throw differs('LoRA', `${lora.path} at weight ${lora.weight}`);
  }
  const words = (recipe.embeddings ?? []).map(({ word, hash }) => `${word} ${hash}`).sort();
  const given = opened.embeddings.map(({ word, hash }) => `${word} ${hash}`).sort();
  if (words.join() !== given.join()) throw differs('set of embeddings', given.join(', ') || 'none');
  if (found.upscale?.network.hash !== recipe.upscale?.network.hash)
    throw differs('upscaler', found.upscale?.network.name ?? 'none');
  if (found.noise !== recipe.latents) throw differs('starting noise', latents);
  if (found.over?.image?.hash !== recipe.image?.hash) throw differs('picture below', over?.image ?? '');
  if (found.over?.mask?.hash !== recipe.mask?.hash) throw differs('mask', over?.mask ?? '');
}
