import { subjectAsked } from '../../../src-shared/domain/runSubjects.ts';
import { photosPlace } from '../training/runPhotos.ts';
import { rm, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import {
  generateInputSchema,
  type GenerateInput,
  type LoraChoice,
} from '../../../src-shared/contract/generation.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import { withInput, type JobHandling } from '../../jobs/kind.ts';
import type { Surroundings } from '../context.ts';
import type { StoredModel } from '../../storage/models.ts';
import type { Run } from '../../../src-shared/domain/run.ts';
import { idSchema } from '../../../src-shared/domain/id.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import { upscaleFactorSchema } from '../../../src-shared/domain/upscale.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { Originals, overRequest } from '../originals/originals.ts';
import { readPicture } from '../scan/readPicture.ts';
import type { GenerateTask } from '../../features/generation/generateParts.ts';
import type { LikenessRequest } from '../../features/generation/likenessMeter.ts';
import { namedRuns } from './namedRuns.ts';
import { generateDefaults, type GenerateRequest } from '../../features/generation/request.ts';
import { plural } from '../../../src-shared/plural.ts';
import { presentModel } from '../presentModel.ts';

/** The input of a job: the request with wildcards expanded and a seed chosen, and how many pictures are done. */
export const generateJobInput = generateInputSchema.extend({
  // These may exceed the limits of a request: wildcards make many prompts, and a recipe may come from elsewhere.
  prompts: z.array(z.string()).min(1),
  negative: z.string(),
  steps: z.int().min(1),
  size: z.object({ width: z.int(), height: z.int() }).nullable(),
  seed: z.int().min(0),
  done: z.int().min(0),
  /** Ids of the pictures that are done, in order; null where one is missing. */
  made: z.array(z.int().nullable()).optional(),
  /** Pictures that were drawn to choose from. */
  tried: z.int().optional(),
  /** The picture that is made again by its recipe; what else is asked for says only what it belongs to. */
  again: idSchema.optional(),
  /** Nothing is drawn: a larger copy is made of this picture, seen from the library's folder. */
  enlarge: z.object({ file: z.string(), factor: upscaleFactorSchema }).optional(),
});
export type GenerateJobInput = z.infer<typeof generateJobInput>;

/**
 * The worker's task. Pictures come mix by mix, prompt by prompt, seed by seed; an interrupted job continues after the last one.
 */
export function generateTask(
  { library, shipped }: Pick<Surroundings, 'library' | 'shipped'>,
  input: GenerateJobInput,
): GenerateTask {
  const { runs, checkpoints, folder, settings } = library;
  const { enlarge } = input;
  if (enlarge) {
    const { provider } = settings.get();
    const pictures = folder.at(enlarge.file);
    if (!existsSync(pictures)) throw problem('file.missing', { file: pictures });
    const task = { pictures, factor: enlarge.factor, out: folder.pictures(), provider };
    return { parts: [], enlarge: task, total: 1, version: shipped.version };
  }
  const originals = new Originals(folder);
  const files = input.files.map(({ id, weight }) => ({ ...library.loras.get(id), weight }));
  const embeddings = files.filter(({ kind }) => kind === 'embedding').map(({ path }) => ({ path }));

  const loraOf = ({ runId, step, weight }: LoraChoice): GenerateRequest['loras'][number] => {
    const run = runs.get(runId);
    const chosen = step ?? run.pickedStep ?? checkpoints.list(runId).at(-1)?.step;
    if (chosen === undefined) throw problem('run.untrained', { name: run.name });
    return { path: new RunFolder(folder.at(run.folder)).checkpointPath(chosen), weight };
  };
  /** Photos that a mix's pictures are compared with. */
  const likenessOf = (
    [main]: GenerateInput['mixes'][number],
    asked: (run: Run) => number | undefined,
  ): LikenessRequest | undefined => {
    const run = main && runs.get(main.runId);
    const subject = run && asked(run);
    return run && subject !== undefined
      ? { photos: folder.at(run.folder, photosPlace(subject)), mobileNet: shipped.scorers.mobileNet }
      : undefined;
  };

  if (input.again !== undefined) {
    const { file, recipe } = library.images.detail(input.again);
    const picture = folder.at(file);
    if (!recipe) throw problem('picture.noRecipe', { file: picture });
    const [mix = []] = input.mixes;
    const likeness = likenessOf(mix, (run) => subjectAsked(run.settings, input.prompts));
    const said = {
      ...{ out: folder.pictures(), provider: settings.get().provider },
      places: placesOf(library, recipe, mix[0] && loraOf(mix[0]).path),
    };
    const again = { file: picture, said, ...(likeness && { likeness }) };
    return { parts: [], again, total: 1, version: shipped.version };
  }

  const regions = input.regions.map(({ box, prompt, ...lora }) => ({ box, prompt, lora: loraOf(lora) }));

  /** One mix's request, without prompts. */
  const requestOf = (
    mix: GenerateInput['mixes'][number],
  ): Omit<GenerateRequest, 'prompts' | 'count' | 'seed'> => {
    const { negative, steps, guidance, baseGuidance, guidanceStop, sampler, size, over } = input;
    const model = presentModel(modelOf(library, input, mix) ?? { path: shipped.model }).path;
    const unet = input.unetId === null ? undefined : presentModel(library.models.get(input.unetId)).path;
    const loras = mix.map(loraOf);
    return {
      ...generateDefaults,
      out: folder.pictures(),
      provider: settings.get().provider,
      ...{ model, negative, steps },
      ...(unet !== undefined && { unet }),
      loras: [
        ...loras,
        ...files.filter(({ kind }) => kind === 'lora').map(({ path, weight }) => ({ path, weight })),
      ],
      ...(embeddings.length > 0 && { embeddings }),
      ...(input.partial && { partial: true }),
      ...(regions.length > 0 && { regions }),
      ...(guidance !== null && { guidance }),
      ...(guidanceStop !== null && { guidanceStop }),
      // A bare model is its own base.
      ...(mix.length + regions.length > 0 && baseGuidance !== null && { baseGuidance }),
      ...(sampler !== null && { scheduler: sampler }),
      ...(size !== null && { size }),
      ...(input.promptRules === 'a1111' && { promptRules: input.promptRules, named: namedRuns(library) }),
      ...(input.clipSkip > 0 && { clipSkip: input.clipSkip }),
      ...(input.upscale && { upscale: input.upscale }),
      // A job of an older version has none.
      ...(over && { over: overRequest(originals, over) }),
    };
  };

  const { prompts, count, mixes, done, seed } = input;
  const each = prompts.length * count;
  const parts = mixes.flatMap((mix, row) => {
    const request = requestOf(mix);
    // Pictures of several subjects are like none of them alone.
    const likeness = likenessOf(
      mix,
      (run) => subjectAsked(run.settings, prompts) ?? (input.select ? 0 : undefined),
    );
    const select = likeness ? (input.select ?? undefined) : undefined;
    const behind = Math.max(0, done - row * each);
    // What is chosen for a prompt is chosen among all its tries: they begin anew.
    const first = select ? Math.floor(behind / count) * count : behind;
    if (first >= each) return [];
    const whole = Math.ceil(first / count);
    const begun = whole * count - first;
    return [
      ...(begun > 0
        ? [
            {
              first: row * each + first,
              ...(likeness && { likeness }),
              request: {
                ...request,
                prompts: [prompts[whole - 1] as string],
                count: begun,
                seed: seed + count - begun,
              },
            },
          ]
        : []),
      ...(whole < prompts.length
        ? [
            {
              first: row * each + whole * count,
              ...(likeness && { likeness }),
              ...(select && { select }),
              request: { ...request, prompts: prompts.slice(whole), count, seed },
            },
          ]
        : []),
    ];
  });
  return { parts, total: each * mixes.length, version: shipped.version };
}

/** Where the library has what a recipe names, by hash. `taught`: the checkpoint of the picture's own run. */
function placesOf(
  { models, loras, folder }: Surroundings['library'],
  recipe: Recipe,
  taught: string | undefined,
): Record<string, string> {
  const files = loras.list();
  const named = [
    ...recipe.loras.map(({ path: name, hash }) => ({ name, hash })),
    ...(recipe.embeddings ?? []).map(({ name, hash }) => ({ name, hash })),
  ].flatMap(({ name, hash }) => {
    const found = files.find(({ path: place }) => path.basename(place) === name);
    return found ? [[hash, found.path] as const] : [];
  });
  const originals = [recipe.image, recipe.mask].flatMap((one) => {
    const place = one && folder.at('originals', `${one.hash}.png`);
    return place !== undefined && existsSync(place) ? [[one?.hash ?? '', place] as const] : [];
  });
  const [own] = recipe.loras;
  return Object.fromEntries([
    ...models.list().map(({ hash, path: place }) => [hash, place] as const),
    ...named,
    ...(own && taught !== undefined ? [[own.hash, taught] as const] : []),
    ...originals,
  ]);
}

/** The model that draws a mix: the requested one, or else the one that its run was trained on. */
function modelOf(
  { runs, models }: Surroundings['library'],
  { modelId }: GenerateJobInput,
  mix: GenerateInput['mixes'][number],
): StoredModel | undefined {
  const id = modelId ?? (mix[0] ? runs.get(mix[0].runId).modelId : null);
  return id === null ? models.shipped() : models.get(id);
}

/** Pictures as a job of the queue. */
export function generateJob(surroundings: Surroundings): JobHandling<'generate'> {
  const { library, emit } = surroundings;
  const { runs, subjects, checkpoints, folder, images, jobs } = library;
  /** Ids of the pictures of current jobs, by job and index: their likeness comes a little later. */
  const made = new Map<string, number>();

  return withInput(generateJobInput, {
    models: ({ input }) => {
      // Nothing is drawn; or the recipe itself says which weights it must be.
      if (input.enlarge || input.again !== undefined) return [];
      const used = [
        ...input.mixes.flatMap((mix) => modelOf(library, input, mix) ?? []),
        ...(input.unetId === null ? [] : [library.models.get(input.unetId)]),
      ];
      return [...new Map(used.map((model) => [model.id, model])).values()];
    },
    stays: true,
    task: ({ input }) => generateTask(surroundings, input),
    kept: ({ input: { prompts, count, mixes, done } }) =>
      done === 0
        ? undefined
        : `${done} of ${plural(prompts.length * count * mixes.length, 'picture', 'pictures')} ${done === 1 ? 'is' : 'are'} in the gallery`,
    event: async (job, event) => {
      if (event.type === 'preview') {
        const { index, step, steps, image } = event;
        emit('generation.preview', { jobId: job.id, index, step, steps, image });
      }
      if (event.type === 'tried') {
        jobs.change(job.id, { input: { ...job.input, tried: event.tried } });
        emit('generation.tried', { jobId: job.id, tried: event.tried });
      }
      if (event.type === 'likeness') {
        const id = made.get(`${job.id} ${event.index}`);
        if (id === undefined) return;
        images.setScore(id, event.value);
        emit('gallery.changed', { ids: [id] });
      }
      if (event.type !== 'picture') return;
      const { input } = job;
      const { width, height, hash, recipe } = await readPicture(event.path);
      const { size: bytes } = await stat(event.path);
      const each = input.prompts.length * input.count;
      const [main] = input.mixes[Math.floor(event.index / each)] ?? [];
      const run = main && runs.get(main.runId);
      const file = folder.relative(event.path);
      const known = images.byHash(hash);
      // Made a second time after an interruption: the known one stays, unless its file is gone.
      const isTwice = known && known.file !== file && existsSync(folder.at(known.file));
      if (known?.file !== file && !isTwice) images.forget(file);
      if (known && !isTwice) images.move(known.id, file);
      const image = known
        ? images.detail(known.id)
        : images.add({
            ...{ file, hash, bytes, width, height, recipe },
            prompt: recipe?.prompt ?? '',
            seed: recipe?.seed ?? 0,
            subjectId: run?.subjectId ?? null,
            runId: run?.id ?? null,
            step: main
              ? (main.step ?? run?.pickedStep ?? checkpoints.list(main.runId).at(-1)?.step ?? null)
              : null,
            jobId: job.id,
          });
      if (isTwice) await rm(event.path, { force: true });
      made.set(`${job.id} ${event.index}`, image.id);
      const places = [...(input.made ?? [])];
      places[event.index] = image.id;
      jobs.change(job.id, { input: { ...input, done: event.index + 1, made: places } });
      emit('generation.image', { jobId: job.id, index: event.index, image });
      emit('gallery.added', image);
      if (run) emit('subjects.changed', subjects.get(run.subjectId));
    },
  });
}
