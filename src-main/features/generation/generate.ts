import { randomInt } from 'node:crypto';
import { makeFolder } from '../../engine/checkpoints/files.ts';
import { chosenGuidance, ownGuidance } from '../../engine/checkpoints/ownGuidance.ts';
import { prepareOutput } from '../../engine/checkpoints/outputFile.ts';
import { readSafetensors } from '../../engine/checkpoints/safetensors.ts';
import { removeLeftovers } from '../../engine/checkpoints/leftovers.ts';
import { writeAtomically, writeSafetensors } from '../../engine/checkpoints/writeSafetensors.ts';
import { stack } from '../../engine/pipelines/batches.ts';
import { pictureProgress } from '../../engine/pipelines/pictureProgress.ts';
import { encodePng } from '../../engine/pictures/png.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
import { resize } from '../../engine/pictures/resample.ts';
import { upscaleInRecipe } from '../../engine/pipelines/upscaler.ts';
import { pixelsPerLatent, TextToImage, type PictureRequest } from '../../engine/pipelines/textToImage.ts';
import { guidanceOf, type Guidance } from '../../../src-shared/domain/guidance.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import type { PreviewEvent } from '../../../src-shared/domain/workerMessages.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { HostTensor } from '../../engine/tensor/tensor.ts';
import { drawEnlarged } from './enlarge.ts';
import { checkRecipe } from './fromRecipe.ts';
import { openOver, type OverPicture } from './overPicture.ts';
import { Journal, type JournalPart } from './journal.ts';
import { nameInRecipe, rememberPlace } from './knownPlaces.ts';
import { foreignSyntax } from './foreignSyntax.ts';
import { splitByLoraTags } from './loraTags.ts';
import type { OpenedModel } from './openForGeneration.ts';
import { openRegions, type OpenedRegions } from './openRegions.ts';
import { PictureNames } from './pictureNames.ts';
import { previews } from './previews.ts';
import type { GenerateRequest } from './request.ts';
import { missingPictures, setFiles } from './pictureSet.ts';
import { predictionOfRuns, withoutRunAsModel } from './runs.ts';
import { readStartingNoise, type StartingNoise } from './startingNoise.ts';
import { openAnew, type Opener } from './warmModel.ts';
import { plural } from '../../../src-shared/plural.ts';

export interface MadePicture {
  readonly path: string;
  readonly seed: number;
  readonly prompt: string;
}

/** Hooks for callers who want more than the result. */
export interface GenerateListeners {
  /** Opens the model; anew each time when left out. */
  readonly models?: Opener;
  readonly onMade?: (picture: MadePicture) => void;
  /** How each picture looks while it is made; `index` counts those of this request. */
  readonly onPreview?: (event: PreviewEvent) => void;
  /** Takes over what ends the request's journal, to call it when the result has been printed; else it ends with the last picture. */
  readonly onJournal?: (end: () => void) => void;
}

type Seeded = GenerateRequest & { readonly seed: number };
type Size = NonNullable<GenerateRequest['size']>;

/**
 * Makes the pictures of a request; prompts that name different LoRAs are drawn one group after the other. Errors: those of `draw`
 * and `splitByLoraTags`.
 */
export async function generate(
  said: GenerateRequest,
  { report, signal }: JobContext,
  version: string,
  { models, onMade, onPreview, onJournal = (end) => end() }: GenerateListeners = {},
): Promise<{ images: MadePicture[] }> {
  const seeded = { ...said, seed: said.seed ?? (said.names ? 0 : randomInt(2 ** 32 - 1)) };
  const total = said.prompts.length * said.count;
  const images: MadePicture[] = [];
  let first = 0;
  const requests = splitByLoraTags(seeded);
  const words = foreignSyntax([...said.prompts, said.negative], said.promptRules ?? 'none');
  // A recipe's picture is made again as it was, so its words were seen before.
  if (words !== undefined && !said.recipe) report({ type: 'warning', message: words });
  let journal: Journal | undefined;
  let seed: number | undefined;
  for (const [index, request] of requests.entries()) {
    const begin: Begin = (bits, batch) => {
      journal ??= Journal.open(said.out, whatIsAsked(said));
      const part = journal.part(index, { ...bits, seed: said.seed }, () => ({
        seed: seed ?? request.seed,
        batch,
      }));
      // The journal's seed: pictures of the first prompts already have it.
      if (!said.names) seed = part.choices.seed;
      return part;
    };
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
    const made = await draw(request, { report: inWhole, signal }, version, listeners, said.goOn && begin);
    images.push(...made.images);
    first += size;
  }
  // Last: a command that is killed before it has ended finds its pictures again.
  onJournal(() => journal?.end());
  return { images };
}

/** What determines a picture, without the paths of things. */
function whatIsAsked({
  out: _out,
  provider: _p,
  model: _m,
  recipe: _r,
  resume: _s,
  ...asked
}: GenerateRequest): Omit<GenerateRequest, 'out' | 'provider' | 'model' | 'recipe' | 'resume'> {
  return asked;
}

/** Begins, or continues, a part of the journal. `batch`: pictures at once, where that is not decided yet. */
type Begin = (bits: object, batch: number) => JournalPart;

/** Errors: those of `prepareOutput`. */
function prepareLatents(file: string): Promise<void> {
  const isOurs = (): boolean => [...readSafetensors(file).tensors.keys()].join() === 'latents';
  return prepareOutput(file, 'a file of latents', isOurs);
}

/**
 * Makes `count` pictures of each prompt and writes each as a PNG with its recipe as soon as it is done. `version` is the program's. Errors: those of `openForGeneration`, `readStartingNoise` and `TextToImage.generate`, `file.unwritable`.
 */
async function draw(
  said: Seeded,
  { report, signal }: JobContext,
  version: string,
  { models = openAnew, onMade, onPreview }: GenerateListeners,
  begin: Begin | false | undefined,
): Promise<{ images: MadePicture[] }> {
  const request = completed(said);
  const opened = await models.open(request, report);
  const { textToImage } = opened;
  try {
    if (request.saveLatents !== undefined) await prepareLatents(request.saveLatents);
    const noise = startingNoise(request, textToImage);
    rememberPlace(opened.hash, request.model);
    const elsewhere = opened.unet ? [opened.unet] : [];
    for (const { hash, path: place } of [...opened.loras, ...opened.embeddings, ...elsewhere])
      rememberPlace(hash, place);
    const over = request.over && (await openOver(request.over, request.size, textToImage));
    if (over?.note !== undefined) report({ type: 'warning', message: over.note });
    const upscale = request.upscale && upscaleInRecipe(request.upscale);
    if (request.recipe)
      checkRecipe(request.recipe, request, opened, { noise: noise?.hash, over: over?.recipe, upscale });
    const size = sizeOf({ ...request, ...(over && { size: over.size }) }, textToImage, noise);
    const apart = openRegions(request, textToImage.model, report);
    const drawing = { ...request, original: over?.original, regions: apart?.regions };
    const { name: scheduler, standsFor } = textToImage.samplerOf(drawing);
    if (standsFor !== undefined)
      report({
        type: 'warning',
        message: `${request.model} names the sampler ${standsFor}, which is not built in, so ${scheduler} draws instead; another one can be chosen.`,
      });
    makeFolder(request.out);
    const journal = begin
      ? begin(bitsOf(request, opened, { noise, over, size }), textToImage.batchSize({ ...request, ...size }))
      : undefined;
    removeLeftovers(request.out);
    const all = requestPictures({ ...request, ...journal?.choices }, noise);
    const set = request.names && setFiles(request, request.names, all);
    const names = new PictureNames(request.out);
    const recipeOf = ({ prompt, seed }: PictureRequest): Recipe =>
      recipeFor(request, opened, { prompt, seed, scheduler, version, noise, over, apart, upscale, ...size });
    const missing = set ? await missingPictures(request, opened, set, recipeOf) : all;
    const finals = new Map<number, HostTensor<'f32'>>();
    const before = new Map(journal?.before);
    if (request.saveLatents)
      for (const index of journal?.before.keys() ?? []) {
        const latents = journal?.latentsOf(index);
        if (latents) finals.set(index, latents);
        else before.delete(index);
      }
    const warned = (message: string): void => report({ type: 'warning', message });
    const sampling = { ...drawing, ...size, ...(journal && { batch: journal.choices.batch }) };
    // Whole batches, as they were begun: so each picture gets the bits that it would have had.
    const batches = before.size
      ? textToImage
          .batches(all, sampling)
          .filter((pictures) => pictures.some((one) => !before.has(all.indexOf(one))))
      : textToImage.batches(request.saveLatents ? all : missing, sampling);
    const pictures = batches.flat();
    const finished = all.length - pictures.length;
    if (finished > 0 && before.size)
      report({
        type: 'note',
        message: `${finished} of ${plural(all.length, 'picture', 'pictures')} ${finished === 1 ? 'was' : 'were'} finished before this command was interrupted; the others follow.`,
      });
    const { onStep, onPicture } = pictureProgress(pictures.length, (done) =>
      report({ type: 'progress', done, total: pictures.length, label: 'pictures' }),
    );
    const watched = {
      ...sampling,
      signal,
      ...(onPreview && { onPreview: await previews(opened, onPreview) }),
      onWarning: warned,
      onStep,
    };
    const finish = (drawn: Picture): Picture => over?.finish(drawn) ?? drawn;
    const made = request.upscale
      ? drawEnlarged(textToImage, batches, watched, request.upscale, { provider: request.provider, finish })
      : textToImage.generateBatches(batches, watched);
    const images = new Map<number, MadePicture>();
    for (const [index, file] of before) {
      const { seed, prompt } = all[index] as PictureRequest;
      images.set(index, { path: file, seed, prompt });
    }
    for await (const { request: one, picture, latents } of made) {
      const { prompt, seed } = one;
      const index = all.indexOf(one);
      const file = set?.get(one) ?? before.get(index) ?? names.take(prompt, seed);
      const { resize: to } = request;
      const whole = request.upscale ? picture : finish(picture);
      const sized = to ? resize(whole, to.width, to.height, 'bicubic') : whole;
      const png = await encodePng(sized, recipeOf(one));
      // Noted first: a picture that the journal doesn't know would be drawn a second time.
      journal?.made(index, file, request.saveLatents === undefined ? undefined : latents);
      writeAtomically(file, () => [png]);
      images.set(index, { path: file, seed, prompt });
      onPicture();
      onMade?.({ path: file, seed, prompt });
      if (request.saveLatents) finals.set(index, latents);
    }
    if (request.saveLatents) {
      writeSafetensors(request.saveLatents, [{ name: 'latents', tensor: stack(inOrder(finals)) }]);
    }
    return { images: inOrder(images) };
  } finally {
    await models.close(opened);
  }
}

/**
 * Prepares what `generate` will need for the same request, up to the first step; nothing is drawn. Errors: those of `generate`.
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
    regions: [],
    ...sizeOf(request, textToImage, undefined),
    signal: AbortSignal.any([signal, enough.signal]),
    onStep: () => enough.abort(),
  });
  await drawing.next().catch((error: unknown) => {
    if (!enough.signal.aborted) throw error;
  });
}

/** Completes the request with the model's own guidance. */
function completed<R extends GenerateRequest>(said: R): R & Guidance {
  const asked = withoutRunAsModel(said);
  const own = ownGuidance(
    asked.model,
    asked.loras.length + (asked.regions?.length ?? 0) > 0 ? 'subject' : 'bare',
  );
  const prediction = asked.prediction ?? predictionOfRuns(asked);
  return { ...asked, ...chosenGuidance(asked, own), ...(prediction && { prediction }) };
}

/** By picture's index. */
function inOrder<T>(found: ReadonlyMap<number, T>): T[] {
  return [...found].sort(([a], [b]) => a - b).map(([, value]) => value);
}

/** All that determines the bits of a request's pictures, but its seed. */
function bitsOf(
  request: GenerateRequest & Guidance,
  { hash, loras, embeddings }: OpenedModel,
  { noise, over, size }: Pick<RecipeParts, 'noise' | 'over'> & { readonly size: Size },
): object {
  const taught = [...loras.map((lora) => [lora.hash, lora.weight]), ...embeddings.map((one) => one.hash)];
  return {
    ...{ ...whatIsAsked(request), ...size, hash, loras: taught },
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

/**
 * Prompt by prompt. Picture i of a prompt has seed + i, so that each can be made again alone. In a set, no two pictures share a
 * seed.
 */
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
    model: { name: nameInRecipe(model), hash },
    ...(unet && { unet: { name: nameInRecipe(unet.path), hash: unet.hash } }),
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
    ...(apart && { regions: [...apart.recipe] }),
    ...(noise && { latents: noise.hash }),
    ...(promptRules && promptRules !== 'none' && { promptRules }),
    ...over?.recipe,
    ...(upscale && { upscale }),
  };
}
