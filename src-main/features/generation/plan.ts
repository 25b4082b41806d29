import { nameOfPlace } from '../../engine/checkpoints/nameOfPlace.ts';
import {
  pixelsPerLatent,
  TextToImage,
  type PictureRequest,
  type SamplingOptions,
} from '../../engine/pipelines/textToImage.ts';
import { upscaleInRecipe } from '../../engine/pipelines/upscaler.ts';
import { guidanceOf, type Guidance } from '../../../src-shared/domain/guidance.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { checkRecipe } from './fromRecipe.ts';
import { rememberPlace } from './knownPlaces.ts';
import type { OpenedModel } from './openForGeneration.ts';
import { openRegions, type OpenedRegions } from './openRegions.ts';
import { openOver, type OverPicture } from './overPicture.ts';
import type { GenerateRequest } from './request.ts';
import { readStartingNoise, type StartingNoise } from './startingNoise.ts';

type Size = NonNullable<GenerateRequest['size']>;

/** What a request's pictures are drawn with. */
export interface Plan {
  readonly noise: StartingNoise | undefined;
  readonly over: OverPicture | undefined;
  readonly sampling: SamplingOptions;
  readonly recipeOf: (picture: PictureRequest) => Recipe;
}

/** Opens what the request names beside the model, and checks that all of it fits. Errors: those of `openOver`, `checkRecipe` and `openRegions`, `latents.unusable`, `scheduler.*`. */
export async function planned(
  request: GenerateRequest & Guidance,
  opened: OpenedModel,
  version: string,
  report: JobContext['report'],
): Promise<Plan> {
  const { textToImage } = opened;
  const warn = (message: string): void => report({ type: 'warning', message });
  const noise = startingNoise(request, textToImage);
  rememberPlace(opened.hash, request.model);
  const elsewhere = opened.unet ? [opened.unet] : [];
  for (const { hash, path } of [...opened.loras, ...opened.embeddings, ...elsewhere])
    rememberPlace(hash, path);
  const over = request.over && (await openOver(request.over, request.size, textToImage));
  if (over?.note !== undefined) warn(over.note);
  const upscale = request.upscale && upscaleInRecipe(request.upscale);
  if (request.recipe)
    checkRecipe(request.recipe, request, opened, { noise: noise?.hash, over: over?.recipe, upscale });
  const size = sizeOf({ ...request, ...(over && { size: over.size }) }, textToImage, noise);
  const apart = openRegions(request, textToImage.model, report);
  const sampling = { ...request, ...size, original: over?.original, regions: apart?.regions };
  const { name: scheduler, standsFor } = textToImage.samplerOf(sampling);
  if (standsFor !== undefined)
    warn(
      `${request.model} names the sampler ${standsFor}, which is not built in, so ${scheduler} draws instead; another one can be chosen.`,
    );
  const recipeOf = ({ prompt, seed }: PictureRequest): Recipe =>
    recipeFor(request, opened, { prompt, seed, scheduler, version, noise, over, apart, upscale, ...size });
  return { noise, over, sampling, recipeOf };
}

/** What determines a picture, without the paths of things. */
export function whatIsAsked({
  out: _out,
  provider: _p,
  model: _m,
  recipe: _r,
  resume: _s,
  ...asked
}: GenerateRequest): Omit<GenerateRequest, 'out' | 'provider' | 'model' | 'recipe' | 'resume'> {
  return asked;
}

/** All that determines the bits of a request's pictures, but its seed. */
export function bitsOf(
  request: GenerateRequest & Guidance,
  { hash, loras, embeddings }: OpenedModel,
  { noise, over, sampling: { width, height } }: Plan,
): object {
  const taught = [...loras.map((lora) => [lora.hash, lora.weight]), ...embeddings.map((one) => one.hash)];
  return {
    ...{ ...whatIsAsked(request), width, height, hash, loras: taught },
    ...{ noise: noise?.hash, over: over?.recipe },
  };
}

function startingNoise(
  { latents, prompts, count }: GenerateRequest,
  { model }: TextToImage,
): StartingNoise | undefined {
  if (latents === undefined) return undefined;
  return readStartingNoise(latents, model.vae.config.latent_channels, prompts.length * count, count);
}

/** The size that was asked for, that of the starting noise, or the model's. */
export function sizeOf(
  { size, latents = '' }: GenerateRequest,
  { model }: TextToImage,
  noise: StartingNoise | undefined,
): Size {
  if (!noise) return size ?? TextToImage.defaultSize(model);
  const factor = pixelsPerLatent(model.vae.config);
  const [, height, width] = noise.shape;
  if (size && (size.width !== width * factor || size.height !== height * factor))
    throw problem('latents.unusable', {
      file: latents,
      why: `its noise is for ${width * factor}×${height * factor} pixels and ${size.width}×${size.height} were asked for`,
    });
  return { width: width * factor, height: height * factor };
}

/**
 * Prompt by prompt. Picture i of a prompt has seed + i, so that each can be made again alone. In a set, no two pictures share a
 * seed.
 */
export function requestPictures(
  { prompts, negative, count, names, seed }: GenerateRequest & { readonly seed: number },
  noise: StartingNoise | undefined,
): PictureRequest[] {
  return prompts.flatMap((prompt, p) =>
    Array.from({ length: count }, (_, i) => {
      const latents = noise?.latents[p * count + i];
      const own = names ? p * count + i : i;
      return { prompt, negative, seed: seed + own, ...(latents && { latents }) };
    }),
  );
}

interface RecipeParts extends Pick<Recipe, 'prompt' | 'seed' | 'scheduler' | 'width' | 'height' | 'version'> {
  readonly noise: StartingNoise | undefined;
  readonly over: OverPicture | undefined;
  readonly apart?: OpenedRegions | undefined;
  readonly upscale?: Recipe['upscale'];
}

function recipeFor(
  { model, negative, steps, prediction, clipSkip, promptRules, ...request }: GenerateRequest & Guidance,
  { hash, loras, embeddings, unet }: OpenedModel,
  { noise, over, apart, upscale, ...parts }: RecipeParts,
): Recipe {
  return {
    ...parts,
    model: { name: nameOfPlace(model), hash },
    ...(unet && { unet: { name: nameOfPlace(unet.path), hash: unet.hash } }),
    loras: loras.map(({ path: file, weight, hash: loraHash }) => ({
      path: nameOfPlace(file),
      hash: loraHash,
      weight,
    })),
    ...{ negative, steps, ...guidanceOf(request) },
    ...(prediction && { prediction }),
    ...(clipSkip !== undefined && { clipSkip }),
    ...(embeddings.length > 0 && {
      embeddings: embeddings.map(({ path: file, word, hash }) => ({ name: nameOfPlace(file), word, hash })),
    }),
    ...(apart && { regions: [...apart.recipe] }),
    ...(noise && { latents: noise.hash }),
    ...(promptRules && promptRules !== 'none' && { promptRules }),
    ...over?.recipe,
    ...(upscale && { upscale }),
  };
}
