import { randomInt } from 'node:crypto';
import path from 'node:path';
import { makeFolder } from '../../engine/checkpoints/files.ts';
import { chosenGuidance, ownGuidance } from '../../engine/checkpoints/ownGuidance.ts';
import { removeLeftovers } from '../../engine/checkpoints/leftovers.ts';
import { writeAtomically, writeSafetensors } from '../../engine/checkpoints/writeSafetensors.ts';
import { stack } from '../../engine/pipelines/denoise.ts';
import { pictureProgress } from '../../engine/pipelines/pictureProgress.ts';
import { encodePng } from '../../engine/pipelines/png.ts';
import { resize } from '../../engine/pipelines/resample.ts';
import { pixelsPerLatent, TextToImage, type PictureRequest } from '../../engine/pipelines/textToImage.ts';
import { guidanceOf, type Guidance } from '../../../src-shared/domain/guidance.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import type { PreviewEvent } from '../../../src-shared/domain/workerMessages.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { checkRecipe } from './fromRecipe.ts';
import { openOver, type OverPicture } from './overPicture.ts';
import { nameInRecipe, rememberPlace } from './knownPlaces.ts';
import { splitByLoraTags } from './loraTags.ts';
import type { OpenedModel } from './openForGeneration.ts';
import { PictureNames } from './pictureNames.ts';
import { previews } from './previews.ts';
import type { GenerateRequest } from './request.ts';
import { missingPictures, setFiles } from './pictureSet.ts';
import { predictionOfRuns, withoutRunAsModel } from './runs.ts';
import { readStartingNoise, type StartingNoise } from './startingNoise.ts';
import { openAnew, type Opener } from './warmModel.ts';

export interface MadePicture {
  readonly path: string;
  readonly seed: number;
  readonly prompt: string;
}

/** Who wants to see more than the end. */
export interface GenerateListeners {
  /** Opens the model; anew each time when left out. */
  readonly models?: Opener;
  readonly onMade?: (picture: MadePicture) => void;
  /** How each picture looks while it is made; `index` counts those of this request. */
  readonly onPreview?: (event: PreviewEvent) => void;
}

type Seeded = GenerateRequest & { readonly seed: number };
type Size = NonNullable<GenerateRequest['size']>;

/**
 * Makes the pictures of a request; prompts that name other LoRAs than those before them are drawn after those. Errors: those of
 * `draw` and `splitByLoraTags`.
 */
export async function generate(
  said: GenerateRequest,
  { report, signal }: JobContext,
  version: string,
  { models, onMade, onPreview }: GenerateListeners = {},
): Promise<{ images: MadePicture[] }> {
  const seeded = { ...said, seed: said.seed ?? (said.names ? 0 : randomInt(2 ** 32 - 1)) };
  const total = said.prompts.length * said.count;
  const images: MadePicture[] = [];
  let first = 0;
  for (const request of splitByLoraTags(seeded)) {
    const [begun, size] = [first, request.prompts.length * request.count];
    const inWhole: JobContext['report'] = (event) =>
      report(
        event.type === 'progress' && size < total
          ? { ...event, done: begun + (event.done / event.total) * size, total }
          : event,
      );
    const seen = onPreview && ((event: PreviewEvent) => onPreview({ ...event, index: begun + event.index }));
    const listeners = {
      ...(models && { models }),
      ...(onMade && { onMade }),
      ...(seen && { onPreview: seen }),
    };
    const made = await draw(request, { report: inWhole, signal }, version, listeners);
    images.push(...made.images);
    first += size;
  }
  return { images };
}

/**
 * Makes `count` pictures of each prompt and writes each as a PNG with its recipe as soon as it is done. `version` is the program's. Errors: those of `openForGeneration`, `readStartingNoise` and `TextToImage.generate`, `file.unwritable`.
 */
async function draw(
  said: Seeded,
  { report, signal }: JobContext,
  version: string,
  { models = openAnew, onMade, onPreview }: GenerateListeners = {},
): Promise<{ images: MadePicture[] }> {
  const request = completed(said);
  const opened = await models.open(request, report);
  const { textToImage } = opened;
  try {
    const noise = startingNoise(request, textToImage);
    rememberPlace(opened.hash, request.model);
    for (const { hash, path: place } of [...opened.loras, ...opened.embeddings]) rememberPlace(hash, place);
    const over = request.over && (await openOver(request.over, request.size, textToImage));
    if (over?.note !== undefined) report({ type: 'warning', message: over.note });
    if (request.recipe)
      checkRecipe(request.recipe, request, opened, { noise: noise?.hash, over: over?.recipe });
    const size = sizeOf({ ...request, ...(over && { size: over.size }) }, textToImage, noise);
    const drawing = { ...request, original: over?.original };
    const { name: scheduler, standsFor } = textToImage.samplerOf(drawing);
    if (standsFor !== undefined)
      report({
        type: 'warning',
        message: `${request.model} names ${standsFor}, which is not built in; ${scheduler} draws in its place; another sampler can be chosen.`,
      });
    const all = requestPictures(request, noise);
    makeFolder(request.out);
    removeLeftovers(request.out);
    const set = request.names && setFiles(request, request.names, all);
    const names = new PictureNames(request.out);
    const recipeOf = ({ prompt, seed }: PictureRequest): Recipe =>
      recipeFor(request, opened, { prompt, seed, scheduler, version, noise, over, ...size });
    const pictures = set ? await missingPictures(request, opened, set, recipeOf) : all;
    const images: MadePicture[] = [];
    const finals = [];
    const warned = (message: string): void => report({ type: 'warning', message });
    const { onStep, onPicture } = pictureProgress(pictures.length, (done) =>
      report({ type: 'progress', done, total: pictures.length, label: 'pictures' }),
    );
    const made = textToImage.generate(pictures, {
      ...drawing,
      ...size,
      signal,
      ...(onPreview && { onPreview: await previews(opened, onPreview) }),
      onWarning: warned,
      onStep,
    });
    for await (const { request: one, picture, latents } of made) {
      const { prompt, seed } = one;
      const file = set?.get(one) ?? names.take(prompt, seed);
      const { resize: to } = request;
      const whole = over ? over.finish(picture) : picture;
      const sized = to ? resize(whole, to.width, to.height, 'bicubic') : whole;
      const png = await encodePng(sized, recipeOf(one));
      writeAtomically(file, () => [png]);
      images.push({ path: file, seed, prompt });
      onPicture();
      onMade?.({ path: file, seed, prompt });
      if (request.saveLatents) finals.push(latents);
    }
    if (request.saveLatents) {
      makeFolder(path.dirname(request.saveLatents));
      writeSafetensors(request.saveLatents, [{ name: 'latents', tensor: stack(finals) }]);
    }
    return { images };
  } finally {
    await models.close(opened);
  }
}

/**
 * Makes ready what `generate` will need of `models` for the same request, up to the first step; nothing is drawn. Errors: those of
 * `generate`.
 */
export async function warmUp(said: GenerateRequest, models: Opener, signal: AbortSignal): Promise<void> {
  const [first] = splitByLoraTags({ ...said, seed: said.seed ?? 0 });
  if (!first) return;
  const request = completed(first);
  const opened = await models.open(request, () => undefined);
  const { textToImage } = opened;
  await opened.colours();
  const enough = new AbortController();
  const drawing = textToImage.generate(requestPictures(request, undefined), {
    ...request,
    ...sizeOf(request, textToImage, undefined),
    signal: AbortSignal.any([signal, enough.signal]),
    onStep: () => enough.abort(),
  });
  await drawing.next().catch((error: unknown) => {
    if (!enough.signal.aborted) throw error;
  });
}

/** What was left out is the model's own. */
function completed<R extends GenerateRequest>(said: R): R & Guidance {
  const asked = withoutRunAsModel(said);
  const own = ownGuidance(asked.model, asked.loras.length > 0 ? 'subject' : 'bare');
  const prediction = asked.prediction ?? predictionOfRuns(asked);
  return { ...asked, ...chosenGuidance(asked, own), ...(prediction && { prediction }) };
}

function startingNoise(
  { latents, prompts, count }: GenerateRequest,
  { model }: TextToImage,
): StartingNoise | undefined {
  if (latents === undefined) return undefined;
  return readStartingNoise(latents, model.vae.config.latent_channels, prompts.length * count, count);
}

/** The size that was asked for, the starting noise's, or the model's. */
function sizeOf(
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

/** Prompt by prompt; picture i of a prompt has seed + i, so that each can be made again alone. In a set no two have the same. */
function requestPictures(
  { prompts, negative, count, names, seed }: Seeded,
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
}

function recipeFor(
  { model, negative, steps, prediction, clipSkip, promptRules, ...request }: GenerateRequest & Guidance,
  { hash, loras, embeddings }: OpenedModel,
  { noise, over, ...parts }: RecipeParts,
): Recipe {
  return {
    ...parts,
    model: { name: nameInRecipe(model), hash },
    loras: loras.map(({ path: file, weight, hash: loraHash }) => ({
      path: nameInRecipe(file),
      hash: loraHash,
      weight,
    })),
    ...{ negative, steps, ...guidanceOf(request) },
    ...(prediction && { prediction }),
    ...(clipSkip !== undefined && { clipSkip }),
    ...(embeddings.length > 0 && {
      embeddings: embeddings.map(({ path: file, word, hash }) => ({ name: nameInRecipe(file), word, hash })),
    }),
    ...(noise && { latents: noise.hash }),
    ...(promptRules && promptRules !== 'none' && { promptRules }),
    ...over?.recipe,
  };
}
