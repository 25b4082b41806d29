import { samplers, type GenerateInput, type LoraChoice } from '../../src-shared/contract/generation.ts';
import type { Over } from '../../src-shared/contract/originals.ts';
import type { Output } from '../../src-shared/contract/index.ts';
import type { Image } from '../../src-shared/domain/image.ts';
import { guidanceOf, type Guidance } from '../../src-shared/domain/guidance.ts';
import type { Recipe } from '../../src-shared/domain/recipe.ts';
import type { UpscaleFactor } from '../../src-shared/domain/upscale.ts';
import { expandWildcards } from '../../src-shared/domain/wildcards.ts';
import { base64Of } from '../client/fileBytes.ts';
import { listen, request } from '../client/index.ts';
import { texts } from '../texts/index.ts';
import { keepDraft, storedDraft, type Draft, type DraftOver } from './draft.ts';
import { jobs } from './jobs.svelte.ts';
import { loraFiles } from './loraFiles.svelte.ts';
import { models } from './models.svelte.ts';
import { firstPlace, places } from './places.ts';
import { takenOver } from './recipeDraft.ts';
import { training } from './training.svelte.ts';
import { attempt, toasts } from './toasts.svelte.ts';

/** One place on the sheet: the picture, or its preview. */
export interface Frame {
  readonly image: Image | undefined;
  readonly preview: string | undefined;
  readonly step: number;
  readonly steps: number;
}

/** The pictures of one press of the button. */
export interface Sheet {
  readonly jobId: number;
  readonly frames: readonly Frame[];
  /** Pictures that were drawn to choose from. */
  readonly tried: number | null;
  /** The mixes of a grid's rows; a single row otherwise. Frames are row by row. */
  readonly rows: readonly LoraChoice[][];
}

const sheetKey = 'likeness.sheet';
const empty: Frame = { image: undefined, preview: undefined, step: 0, steps: 0 };

class Generation {
  /** Bound to the form; kept for the next session. */
  readonly draft = $state<Draft>(storedDraft());
  #sheet = $state.raw<Sheet>();
  #recent = $state.raw<Output<'generation.recent'>>([]);
  /** The mask editor lies over the form. */
  painting = $state(false);

  constructor() {
    // The form survives a reload.
    $effect.root(() => {
      $effect(() => keepDraft(this.draft));
    });
    listen('generation.preview', ({ jobId, index, step, steps, image }) =>
      this.#place(jobId, index, { preview: image, step, steps }),
    );
    listen('generation.image', ({ jobId, index, image }) => this.#place(jobId, index, { image }));
    listen('generation.tried', ({ jobId, tried }) => {
      if (this.#sheet?.jobId === jobId) this.#sheet = { ...this.#sheet, tried };
    });
    listen('gallery.removed', ({ ids }) => {
      const sheet = this.#sheet;
      if (!sheet) return;
      const gone = (frame: Frame): boolean => frame.image !== undefined && ids.includes(frame.image.id);
      this.#sheet = { ...sheet, frames: sheet.frames.map((frame) => (gone(frame) ? empty : frame)) };
    });
  }

  get sheet(): Sheet | undefined {
    return this.#sheet;
  }

  /** The finished pictures of the sheet. */
  get pictures(): number[] {
    return this.#sheet?.frames.flatMap(({ image }) => (image ? [image.id] : [])) ?? [];
  }

  get recent(): Output<'generation.recent'> {
    return this.#recent;
  }

  async loadRecent(): Promise<void> {
    this.#recent = (await attempt(() => request('generation.recent', {}))) ?? [];
  }

  /** The prompts of the form: lines in a grid, else the whole text. */
  get prompts(): string[] {
    const { prompt, grid } = this.draft;
    const parts = grid ? prompt.split('\n') : [prompt.replaceAll('\n', ' ')];
    return parts.map((part) => part.trim()).filter((part) => part !== '');
  }

  /** The mixes of LoRAs in the form. */
  get mixes(): LoraChoice[][] {
    const { loras, grid, gridSteps, gridWeights } = this.draft;
    const [first, ...others] = loras.map((lora) => ({ ...lora }));
    if (!first) return [[]];
    // The picture is the first subject's in the gallery; the boxes draw the subjects.
    if (this.regions.length > 0) return [[{ ...first, weight: 0 }]];
    if (!grid) return [[first, ...others]];
    const steps = gridSteps.length > 0 ? gridSteps : [first.step];
    const weights = gridWeights.length > 0 ? gridWeights : [first.weight];
    return steps.flatMap((step) => weights.map((weight) => [{ ...first, step, weight }, ...others]));
  }

  /** The subjects that the form keeps apart. */
  get regions(): GenerateInput['regions'] {
    const { apart, grid, loras, places: chosen, placePrompts } = this.draft;
    if (!apart || grid || loras.length < 2) return [];
    return loras.map((lora, i) => {
      const run = training.byId(lora.runId);
      const own = (placePrompts[i] ?? '').trim();
      return {
        ...lora,
        box: { ...places[chosen[i] ?? firstPlace(i, loras.length)] },
        prompt: own || `a photo of ${run ? `${run.settings.token} ${run.settings.classNoun}` : 'it'}`,
      };
    });
  }

  /** Number of pictures in the form, with every choice of wildcards. */
  get total(): number {
    const prompts = this.prompts.reduce((sum, prompt) => sum + expandWildcards(prompt).length, 0);
    return prompts * this.mixes.length * this.draft.count;
  }

  /** Guidance: what the person chose, and the model's own for the rest. */
  get guidance(): Guidance {
    const { modelId, loras, guidance, baseGuidance, guidanceStop } = this.draft;
    const model = models.byId(modelId) ?? models.list[0];
    const bare = model?.guidance ?? guidanceOf({ guidance: 7.5 });
    const own = loras.length > 0 ? (model?.subjectGuidance ?? bare) : bare;
    return {
      guidance: guidance ?? own.guidance,
      baseGuidance: loras.length > 0 ? (baseGuidance ?? own.baseGuidance) : 0,
      guidanceStop: guidanceStop ?? own.guidanceStop,
    };
  }

  /** The request that the form stands for. */
  get #input(): GenerateInput {
    const { negative, modelId, unetId, count, steps, sampler, size, seed, seedLocked } = this.draft;
    const { over, promptRules, upscale, clipSkip } = this.draft;
    return {
      ...{ prompts: this.prompts, negative, modelId, unetId, mixes: this.mixes, count, steps, sampler },
      ...this.#chosenGuidance(),
      seed: seedLocked ? seed : null,
      size: size && { ...size },
      over: over && overOf(over),
      // What was drawn over something is not drawn over once more.
      upscale: upscale && (over ? { factor: upscale.factor } : { ...upscale }),
      ...{ promptRules, clipSkip },
      select: this.#select,
      regions: this.regions,
      files: this.draft.files.map((file) => ({ ...file })),
      partial: this.draft.partial,
    };
  }

  /** Without a subject, there is nothing to be alike to: all pictures are kept. */
  get #select(): GenerateInput['select'] {
    const { keep, loras, bestOf, untilLike } = this.draft;
    if (keep === 'first' || loras.length === 0) return null;
    return keep === 'best' ? { bestOf } : { untilLike };
  }

  /** Lets a worker open what the form needs, so that the first picture comes soon. Errors are reported by `start`. */
  prepare(): void {
    if (this.prompts.length > 0) void request('generation.prepare', this.#input).catch(() => undefined);
  }

  async start(): Promise<boolean> {
    const input = this.#input;
    const started = await attempt(() => request('generation.start', input));
    if (!started) return false;
    this.draft.seed = started.seed;
    const frames = Array.from({ length: started.total }, () => empty);
    this.#show({ jobId: started.jobId, frames, rows: input.mixes, tried: null });
    void this.loadRecent();
    return true;
  }

  /** Restores the sheet shown before a reload, or else the one being made, or the last one, with what arrived meanwhile. */
  async restore(): Promise<void> {
    const kept = Number(sessionStorage.getItem(sheetKey));
    const job =
      jobs.byId(this.#sheet?.jobId ?? kept) ??
      [...jobs.running, ...jobs.ended].find(({ kind }) => kind === 'generate');
    if (job?.kind === 'generate') await this.open(job.id);
  }

  /** Shows what a job makes or has made. */
  async open(jobId: number): Promise<void> {
    const found = await attempt(() => request('generation.sheet', { jobId }));
    if (!found) return;
    const before = this.#sheet?.jobId === jobId ? this.#sheet.frames : [];
    const frames = found.images.map((image, place) => ({
      ...(before[place] ?? empty),
      ...(image && { image }),
    }));
    this.#show({ jobId, frames, rows: found.mixes, tried: found.tried });
  }

  /** Draws the sheet into one picture, with labels; true where it can be taken from `fileUrls.grid`. */
  async saveGrid(jobId: number): Promise<boolean> {
    return (await attempt(() => request('generation.grid', { jobId }))) !== undefined;
  }

  /** Makes the same picture again. */
  async again(imageId: number): Promise<boolean> {
    return this.#showOne(await attempt(() => request('generation.again', { imageId })));
  }

  /** Makes a larger copy. */
  async enlarge(imageId: number, factor: UpscaleFactor): Promise<boolean> {
    return this.#showOne(await attempt(() => request('generation.enlarge', { imageId, factor })));
  }

  #showOne(started: { readonly jobId: number } | undefined): boolean {
    if (started) this.#show({ jobId: started.jobId, frames: [empty], rows: [[]], tried: null });
    return started !== undefined;
  }

  /** From now on, the form draws over this picture, photo or file. */
  async drawOver(from: { readonly imageId: number } | { readonly photoId: number } | File): Promise<boolean> {
    const kept = await attempt(async () =>
      request(
        'originals.keep',
        from instanceof File ? { name: from.name, data: await base64Of(from) } : from,
      ),
    );
    if (kept) this.draft.over = { ...kept, mask: null, strength: 0.7, closely: true };
    return kept !== undefined;
  }

  /** Asks for pictures like one that is there: until as many as the form says are as much like the subject. */
  untilLike(recipe: Recipe, image: Pick<Image, 'runId' | 'step'>, score: number): void {
    const { count } = this.draft;
    this.use(recipe, image);
    Object.assign(this.draft, {
      ...{ seedLocked: false, keep: 'alike', count: Math.max(count, 4) },
      untilLike: Math.floor(score * 100) / 100,
    });
  }

  /** Sets the mask of what is drawn; without one, everything is. True if the mask was saved. */
  async markOver(mask: Blob | null): Promise<boolean> {
    const { over } = this.draft;
    if (!over) return false;
    const kept =
      mask &&
      (await attempt(async () =>
        request('originals.keepMask', { original: over.hash, data: await base64Of(mask) }),
      ));
    if (kept === undefined) return false;
    over.mask = kept?.mask ?? null;
    over.strength = kept ? 1 : 0.7;
    return true;
  }

  /** Fills the form from a picture's recipe, as far as the library has what it names; says what it lacks. */
  use(recipe: Recipe, image?: Pick<Image, 'runId' | 'step'>): void {
    const { prompt, negative, seed, steps, scheduler, width, height, upscale, clipSkip = 0 } = recipe;
    const known = { models: models.list, runs: training.runs, files: loraFiles.list };
    const { lost, ...found } = takenOver(recipe, known, image);
    Object.assign(this.draft, {
      ...{ prompt, negative, seed, steps, clipSkip, ...guidanceOf(recipe), ...found },
      ...{ count: 1, seedLocked: true, grid: false, partial: false, keep: 'first' },
      promptRules: recipe.promptRules ?? 'none',
      sampler: samplerOf(scheduler),
      size: { width, height },
      upscale: upscale ?? null,
    });
    void this.#useOver(recipe).then((isThere) => {
      const all = isThere ? lost : [...lost, recipe.image?.name ?? ''];
      if (all.length > 0) toasts.show(texts.recipe.lost(all));
    });
  }

  /** The picture that it was drawn over; whether the library still has that, if there was one. */
  async #useOver({ image, mask, strength = 1, maskPadding }: Recipe): Promise<boolean> {
    this.draft.over = null;
    const kept = image && (await attempt(() => request('originals.find', { hash: image.hash })));
    if (kept)
      this.draft.over = { ...kept, mask: mask?.hash ?? null, strength, closely: maskPadding !== undefined };
    return !image || Boolean(kept);
  }

  /** An empty choice is left to the worker: a grid may have rows with and without a subject. */
  #chosenGuidance(): Pick<GenerateInput, keyof Guidance> {
    const { guidance, baseGuidance, guidanceStop } = this.draft;
    const chosen = { guidance, baseGuidance, guidanceStop };
    return Object.values(chosen).every((value) => value === null) ? chosen : this.guidance;
  }

  #show(sheet: Sheet): void {
    this.#sheet = sheet;
    sessionStorage.setItem(sheetKey, String(sheet.jobId));
  }

  #place(jobId: number, index: number, change: Partial<Frame>): void {
    const sheet = this.#sheet;
    if (sheet?.jobId !== jobId) return;
    const frames = sheet.frames.map((frame, place) => (place === index ? { ...frame, ...change } : frame));
    this.#sheet = { ...sheet, frames };
  }
}

/** A margin around the marked part is drawn too: a twelfth of the original's shorter side. */
function overOf({ hash, width, height, mask, strength, closely }: DraftOver): Over {
  const maskPadding = mask !== null && closely ? Math.round(Math.min(width, height) / 12) : null;
  return { original: hash, mask, strength, maskPadding };
}

function samplerOf(scheduler: string): Draft['sampler'] {
  return samplers.find((name) => name === scheduler) ?? null;
}

export const generation = new Generation();
