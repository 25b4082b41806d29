import path from 'node:path';
import type { Upscale } from '../../src-shared/domain/upscale.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { readPrompts, readPromptTable } from '../engine/training/data/promptFiles.ts';
import type { SaidWithRecipe } from '../features/generation/fromRecipe.ts';
import {
  generateDefaults as defaults,
  type GenerateRequest,
  type OverRequest,
} from '../features/generation/request.ts';
import { shippedModel } from '../shipped.ts';
import type { generateOptions } from './generateOptions.ts';
import type { Given } from './options.ts';
import { optionName } from './parse.ts';
import { defined, refuseTogether } from './shared.ts';

type GivenOptions = Given<typeof generateOptions>;

/** Which of many tries are kept. Throws `usage.…` where that cannot be. */
export function selectionOf({
  untilLike,
  bestOf,
  lora = [],
  photos,
  prompts,
  latents,
  saveLatents,
  model: whole,
}: GivenOptions): { readonly bestOf: number } | { readonly untilLike: number } | undefined {
  const option = untilLike === undefined ? '--best-of' : '--until-like';
  if (untilLike === undefined && bestOf === undefined) {
    if (photos !== undefined)
      throw problem('usage.missingOption', { option: '--until-like', command: 'generate' });
    return undefined;
  }
  const table = prompts !== undefined && /\.csv$/i.test(prompts) ? prompts : undefined;
  if (untilLike !== undefined) refuseTogether(option, { '--best-of': bestOf }, 'one of them chooses');
  refuseTogether(option, { '--prompts FILE.csv': table }, 'its rows have names of their own');
  refuseTogether(
    option,
    { '--latents': latents, '--save-latents': saveLatents },
    'more pictures are drawn than are kept',
  );
  if (lora.length === 0 && photos === undefined && whole === undefined)
    throw problem('usage.missingOption', { option: '--lora', command: 'generate' });
  return untilLike === undefined ? { bestOf: bestOf ?? 2 } : { untilLike };
}

/** New pictures, or one again by its recipe. Throws `usage.…`, and where the file of prompts cannot be used. */
export function generateRequest(
  given: GivenOptions,
): GenerateRequest | { readonly recipe: string; readonly said: SaidWithRecipe } {
  const { recipe } = given;
  return recipe === undefined ? newPictures(given) : { recipe, said: saidWithRecipe(given) };
}

function newPictures(given: GivenOptions): GenerateRequest {
  const { prompt = [], prompts: list, lora = [], out, recipe: _recipe, ...more } = given;
  const { image: _i, strength: _s, mask: _m, maskPadding: _p, embedding: embeddings, ...others } = more;
  const { region: regions } = given;
  const {
    weights,
    loraDir,
    region: _r,
    untilLike: _u,
    bestOf: _b,
    photos: _ph,
    grid: _g,
    upscale: _up,
    hiresStrength: _hs,
    ...rest
  } = others;
  if (loraDir !== undefined && weights !== 'a1111')
    throw problem('usage.missingOption', { option: '--weights a1111', command: 'generate' });
  const folders = loraDir === undefined ? ['', 'runs', 'loras'].map((one) => path.resolve(one)) : [loraDir];
  if (rest.baseGuidance && lora.length === 0 && !regions)
    throw problem('usage.missingOption', { option: '--lora', command: 'generate' });
  const over = overPicture(given);
  const upscale = upscaling(given);
  const common = {
    ...{ ...defaults, model: shippedModel, ...defined({ ...rest, embeddings }), loras: lora, out },
    ...(over && { over }),
    ...(upscale && { upscale }),
    ...(regions && { regions }),
    ...(weights === 'a1111' && { promptRules: weights, named: { folders, others: [] } }),
  };
  if (list !== undefined && /\.csv$/i.test(list)) {
    refuseTogether('--prompts FILE.csv', { '--prompt': given.prompt }, 'its rows are the set');
    return { ...common, ...readPromptTable(list) };
  }
  if (rest.resume)
    throw problem('usage.conflict', {
      ...{ option: '--resume', other: '--prompt' },
      why: 'only the pictures of a table (--prompts FILE.csv) have given names',
    });
  const prompts = [...prompt, ...(list === undefined ? [] : readPrompts(list))];
  if (!prompts.length) throw problem('usage.missingOption', { option: '--prompt', command: 'generate' });
  return { ...common, prompts };
}

/** The picture to draw over, if there is one. Throws `usage.missingOption` for its options without it. */
function overPicture(given: GivenOptions): OverRequest | undefined {
  const { image, mask, maskPadding } = given;
  const needs = (option: '--image' | '--mask'): Error =>
    problem('usage.missingOption', { option, command: 'generate' });
  if (image === undefined) {
    if (mask !== undefined || given.strength !== undefined || maskPadding !== undefined)
      throw needs('--image');
    return undefined;
  }
  if (mask === undefined && maskPadding !== undefined) throw needs('--mask');
  const strength = given.strength ?? (mask === undefined ? 0.8 : 1);
  return { image, strength, ...defined({ mask, maskPadding }) };
}

/** How pictures are enlarged, if they are. Throws `usage.…` for a strength without it, or where a picture is drawn over already. */
function upscaling({ upscale: factor, hiresStrength, image }: GivenOptions): Upscale | undefined {
  if (factor === undefined) {
    if (hiresStrength !== undefined)
      throw problem('usage.missingOption', { option: '--upscale', command: 'generate' });
    return undefined;
  }
  if (hiresStrength !== undefined)
    refuseTogether('--hires-strength', { '--image': image }, 'each draws over a picture');
  return { factor, ...defined({ strength: hiresStrength }) };
}

/** Options allowed beside `--recipe`: where things are, not what the picture shows. */
function saidWithRecipe(given: GivenOptions): SaidWithRecipe {
  const { out, model, unet, lora, embedding, partial, image, mask, latents, saveLatents } = given;
  const { provider = defaults.provider, precision } = given;
  const fixed = [
    'prompt',
    'prompts',
    'negative',
    'steps',
    'guidance',
    'baseGuidance',
    'guidanceStop',
    'scheduler',
    'seed',
    'count',
    'size',
    'resize',
    'resume',
    'strength',
    'maskPadding',
    'clipSkip',
    'prediction',
    'weights',
    'loraDir',
    'region',
    'untilLike',
    'bestOf',
    'photos',
    'upscale',
    'hiresStrength',
  ] as const;
  const others = Object.fromEntries(fixed.map((key) => [optionName(key), given[key]]));
  refuseTogether('--recipe', others, 'the recipe says it');
  const places = {
    ...{ model, unet, loras: lora, embeddings: embedding, partial },
    ...{ image, mask, latents, saveLatents, precision },
  };
  return { out, provider, ...defined(places) };
}
