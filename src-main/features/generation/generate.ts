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
import type { PictureRequest } from '../../engine/pipelines/textToImage.ts';
import type { Guidance } from '../../../src-shared/domain/guidance.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { Upscale } from '../../../src-shared/domain/upscale.ts';
import type { PreviewEvent } from '../../../src-shared/domain/workerMessages.ts';
import type { HostTensor } from '../../engine/tensor/tensor.ts';
import { checkEnlarging, drawEnlarged } from './enlarge.ts';
import { Journal, type JournalPart } from './journal.ts';
import { foreignSyntax } from './foreignSyntax.ts';
import { splitByLoraTags } from './loraTags.ts';
import { PictureNames } from './pictureNames.ts';
import { bitsOf, planned, requestPictures, sizeOf, whatIsAsked } from './plan.ts';
import { previews } from './previews.ts';
import type { GenerateRequest } from './request.ts';
import { missingPictures, setFiles } from './pictureSet.ts';
import { predictionOfRuns, withoutRunAsModel } from './runs.ts';
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
  /** What is kept of these pictures is enlarged so afterwards: it is checked now that this can be done. */
  readonly enlargedLater?: Upscale | undefined;
  /** Takes over what ends the request's journal, to call it when the result has been printed; else it ends with the last picture. */
  readonly onJournal?: (end: () => void) => void;
}

type Seeded = GenerateRequest & { readonly seed: number };

/**
 * Makes the pictures of a request; prompts that name different LoRAs are drawn one group after the other. Errors: those of `draw`
 * and `splitByLoraTags`.
 */
export async function generate(
  said: GenerateRequest,
  { report, signal }: JobContext,
  version: string,
  { models, onMade, onPreview, enlargedLater, onJournal = (end) => end() }: GenerateListeners = {},
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
      enlargedLater,
    };
    const made = await draw(request, { report: inWhole, signal }, version, listeners, said.goOn && begin);
    images.push(...made.images);
    first += size;
  }
  // Last: a command that is killed before it has ended finds its pictures again.
  onJournal(() => journal?.end());
  return { images };
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
  { models = openAnew, onMade, onPreview, enlargedLater }: GenerateListeners,
  begin: Begin | false | undefined,
): Promise<{ images: MadePicture[] }> {
  const request = completed(said);
  const { saveLatents, resize: to, upscale, provider } = request;
  const opened = await models.open(request, report);
  const { textToImage } = opened;
  try {
    if (saveLatents !== undefined) await prepareLatents(saveLatents);
    const plan = await planned(request, opened, version, report);
    if (enlargedLater) checkEnlarging(textToImage, plan.sampling, enlargedLater);
    makeFolder(request.out);
    const journal = begin
      ? begin(bitsOf(request, opened, plan), textToImage.batchSize(plan.sampling))
      : undefined;
    removeLeftovers(request.out);
    const sampling = { ...plan.sampling, ...(journal && { batch: journal.choices.batch }) };
    const all = requestPictures({ ...request, ...journal?.choices }, plan.noise);
    const set = request.names && setFiles(request, request.names, all);
    const missing = set ? await missingPictures(request, opened, set, plan.recipeOf) : all;
    const { before, latentsBefore } = finishedBefore(journal, saveLatents !== undefined);
    // Whole batches, as they were begun: so each picture gets the bits that it would have had.
    const batches = before.size
      ? textToImage
          .batches(all, sampling)
          .filter((pictures) => pictures.some((one) => !before.has(all.indexOf(one))))
      : textToImage.batches(saveLatents === undefined ? missing : all, sampling);
    const count = batches.flat().length;
    if (before.size) tellFinished(all.length - count, all.length, report);
    const { onStep, onPicture } = pictureProgress(count, (done) =>
      report({ type: 'progress', done, total: count, label: 'pictures' }),
    );
    const watched = {
      ...{ ...sampling, signal, onStep },
      ...(onPreview && { onPreview: await previews(opened, onPreview) }),
      onWarning: (message: string) => report({ type: 'warning', message }),
    };
    const finish = (drawn: Picture): Picture => plan.over?.finish(drawn) ?? drawn;
    const made = upscale
      ? drawEnlarged(textToImage, batches, watched, upscale, { provider, finish })
      : textToImage.generateBatches(batches, watched);
    const names = new PictureNames(request.out);
    const finals = new Map(latentsBefore);
    const images = new Map<number, MadePicture>();
    for (const [index, file] of before) {
      const { seed, prompt } = all[index] as PictureRequest;
      images.set(index, { path: file, seed, prompt });
    }
    for await (const { request: one, picture, latents } of made) {
      const { prompt, seed } = one;
      const index = all.indexOf(one);
      const file = set?.get(one) ?? before.get(index) ?? names.take(prompt, seed);
      const whole = upscale ? picture : finish(picture);
      const sized = to ? resize(whole, to.width, to.height, 'bicubic') : whole;
      const png = await encodePng(sized, plan.recipeOf(one));
      // Noted first: a picture that the journal doesn't know would be drawn a second time.
      journal?.made(index, file, saveLatents === undefined ? undefined : latents);
      writeAtomically(file, () => [png]);
      images.set(index, { path: file, seed, prompt });
      onPicture();
      onMade?.({ path: file, seed, prompt });
      if (saveLatents !== undefined) finals.set(index, latents);
    }
    if (saveLatents !== undefined)
      writeSafetensors(saveLatents, [{ name: 'latents', tensor: stack(inOrder(finals)) }]);
    return { images: inOrder(images) };
  } finally {
    await models.close(opened);
  }
}

/** The pictures that were finished before a command was interrupted, by index; where latents are wanted, those that have theirs. */
function finishedBefore(
  journal: JournalPart | undefined,
  withLatents: boolean,
): { before: ReadonlyMap<number, string>; latentsBefore: ReadonlyMap<number, HostTensor<'f32'>> } {
  const before = new Map(journal?.before);
  const latentsBefore = new Map<number, HostTensor<'f32'>>();
  if (withLatents)
    for (const index of [...before.keys()]) {
      const latents = journal?.latentsOf(index);
      if (latents) latentsBefore.set(index, latents);
      else before.delete(index);
    }
  return { before, latentsBefore };
}

function tellFinished(finished: number, of: number, report: JobContext['report']): void {
  if (finished === 0) return;
  report({
    type: 'note',
    message: `${finished} of ${plural(of, 'picture', 'pictures')} ${finished === 1 ? 'was' : 'were'} finished before this command was interrupted; the others follow.`,
  });
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
