import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { mostPicturesAtOnce } from '../../../src-shared/domain/generationLimits.ts';
import type { ImageDetail } from '../../../src-shared/domain/image.ts';
import { expandWildcards } from '../../../src-shared/domain/wildcards.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { Handlers, StudioContext } from '../context.ts';
import { writeAtomically } from '../../engine/checkpoints/writeSafetensors.ts';
import { drawGrid } from '../../features/generation/grid.ts';
import { takeLoraTags } from '../../features/generation/loraTags.ts';
import { namedRuns } from './namedRuns.ts';
import { Originals, overRequest } from '../originals/originals.ts';
import { generateJobInput, generateTask, type GenerateJobInput } from './generateJob.ts';
import { readJob } from '../../jobs/kind.ts';
import { presentModel } from '../presentModel.ts';

/** Most parameters of a model that is opened in advance: a larger one takes memory that may be needed. */
const mostKeptReady = 5e7;

/** What a job about a picture that is there leaves open. */
const fromNothing = {
  ...{ negative: '', modelId: null, unetId: null, count: 1, steps: 1, done: 0 },
  ...{ guidance: null, baseGuidance: null, guidanceStop: null, sampler: null, size: null },
  ...{ over: null, upscale: null, select: null, regions: [], files: [], partial: false },
  ...{ promptRules: 'none', clipSkip: 0 },
} as const satisfies Partial<GenerateJobInput>;

export function generationHandlers(context: StudioContext): Handlers<'generation'> {
  const { library, queue, shipped } = context;
  const { runs, models, images, jobs, folder, prompts: used } = library;

  /** Checks that every run was trained on the model that draws, and that files are there. */
  const check = (input: GenerateJobInput): void => {
    const { modelId, unetId, mixes, regions, over, prompts, promptRules, files } = input;
    const chosen = [...mixes.flat(), ...regions].map(({ runId }) => runs.get(runId));
    const bases = new Set(chosen.map((run) => run.modelId));
    if (modelId !== null) bases.add(modelId);
    if (bases.size > 1) throw problem('generation.otherModels', {});
    const [base] = bases;
    if (promptRules === 'a1111') for (const prompt of prompts) takeLoraTags(prompt, namedRuns(library));
    if (over) overRequest(new Originals(library.folder), over);
    presentModel(base ? models.get(base) : { path: shipped.model });
    if (unetId !== null) presentModel(models.get(unetId));
    for (const { path: file } of files.map(({ id }) => library.loras.get(id)))
      if (!existsSync(file)) throw problem('file.missing', { file });
  };

  /** A job about a picture that is there: the result belongs to the same run. */
  const about = ({ prompt, seed, runId, step }: ImageDetail): GenerateJobInput => ({
    ...fromNothing,
    ...{ prompts: [prompt], seed, mixes: [runId === null ? [] : [{ runId, step, weight: 1 }]] },
  });

  const enqueue = (input: GenerateJobInput, title: string): number => {
    if (!input.enlarge && input.again === undefined) check(input);
    const [first] = input.mixes.flat();
    const run = first && runs.get(first.runId);
    const { id } = queue.add({
      kind: 'generate',
      title,
      input,
      subjectId: run?.subjectId ?? null,
      runId: run?.id ?? null,
    });
    return id;
  };

  return {
    'generation.start': (input) => {
      const prompts = input.prompts.flatMap((prompt) => expandWildcards(prompt));
      const total = prompts.length * input.count * input.mixes.length;
      if (total > mostPicturesAtOnce) throw problem('generation.tooMany', { total, max: mostPicturesAtOnce });
      const seed = input.seed ?? randomInt(2 ** 32 - 1);
      const title = total === 1 ? 'A picture' : `${total} pictures`;
      const jobId = enqueue({ ...input, prompts, seed, done: 0 }, title);
      for (const prompt of input.prompts) used.use(prompt, input.negative);
      return { jobId, total, seed };
    },
    'generation.prepare': (input) => {
      check({ ...input, seed: 0, done: 0 });
      const model = input.modelId === null ? models.shipped() : models.get(input.modelId);
      const unet = input.unetId === null ? model : models.get(input.unetId);
      if (!model || Math.max(model.parameters, unet?.parameters ?? 0) > mostKeptReady) return {};
      const [prompt = ''] = expandWildcards(input.prompts[0] ?? '');
      queue.prepare('generate', generateTask(context, { ...input, prompts: [prompt], seed: 0, done: 0 }));
      return {};
    },
    'generation.sheet': ({ jobId }) => {
      const job = jobs.get(jobId);
      if (job.kind !== 'generate') throw problem('library.gone', { what: 'sheet' });
      const { prompts, count, mixes, made = [], tried = null } = readJob(generateJobInput, job).input;
      const ids = made.filter((id) => id !== null);
      const found = new Map(images.get(ids).map((image) => [image.id, image]));
      const total = prompts.length * count * mixes.length;
      return {
        mixes,
        images: Array.from({ length: total }, (_, place) => found.get(made[place] ?? 0) ?? null),
        tried,
      };
    },
    'generation.grid': async ({ jobId }) => {
      const job = jobs.get(jobId);
      if (job.kind !== 'generate') throw problem('library.gone', { what: 'sheet' });
      const { prompts, count, mixes, seed, made = [], select } = readJob(generateJobInput, job).input;
      const found = new Map(images.get(made.filter((id) => id !== null)).map((image) => [image.id, image]));
      const fileAt = (place: number): string | undefined => {
        const image = found.get(made[place] ?? 0);
        const file = image && folder.at(images.detail(image.id).file);
        return file !== undefined && existsSync(file) ? file : undefined;
      };
      const rows = mixes.flatMap((mix, m) =>
        prompts.map((prompt, p) => ({
          label: [
            prompt,
            ...mix.map(({ runId, step, weight }) =>
              [runs.get(runId).name, ...(step === null ? [] : [`step ${step}`]), `× ${weight}`].join(' '),
            ),
          ].join('\n'),
          files: Array.from({ length: count }, (_, i) => fileAt((m * prompts.length + p) * count + i)),
        })),
      );
      // Pictures that were chosen have seeds of their own in each row.
      const columns = Array.from({ length: count }, (_, i) => (select ? '' : `seed ${seed + i}`));
      const png = await drawGrid({ columns, rows });
      const file = path.join(folder.make('grids'), `${jobId}.png`);
      writeAtomically(file, () => [png]);
      return { file: folder.relative(file) };
    },
    'generation.expand': ({ prompt }) => ({ prompts: expandWildcards(prompt) }),
    'generation.recent': ({ limit }) => used.recent(limit),
    'generation.again': ({ imageId }) => {
      const image = images.detail(imageId);
      if (!image.recipe) throw problem('picture.noRecipe', { file: image.file });
      return { jobId: enqueue({ ...about(image), again: imageId }, 'A picture') };
    },
    'generation.enlarge': ({ imageId, factor }) => {
      const image = images.detail(imageId);
      if (image.recipe?.upscale) throw problem('upscale.twice', { file: image.file });
      const enlarge = { file: image.file, factor };
      return { jobId: enqueue({ ...about(image), enlarge }, 'A larger picture') };
    },
  };
}
