import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { readKept } from '../readKept.ts';
import { studentKinds } from '../../src-shared/contract/compression.ts';
import { adviceSchema, type BlockAdvice } from '../../src-shared/domain/advice.ts';
import { distillSettings } from '../../src-shared/domain/distillSettings.ts';
import { idSchema } from '../../src-shared/domain/id.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { RunFolder } from '../engine/training/run/runFolder.ts';
import { withInput, type JobHandling } from '../jobs/kind.ts';
import { cacheFolder } from '../places.ts';
import { fileName } from '../storage/libraryFolder.ts';
import type { StoredModel } from '../storage/models.ts';
import type { Handlers, StudioContext, Surroundings } from './context.ts';
import { putModel } from './models/putModel.ts';
import { compressDefaults } from '../features/compression/request.ts';
import { plural } from '../../src-shared/plural.ts';
import { presentModel } from './presentModel.ts';

const adviseInput = z.object({ modelId: idSchema });

const makeInput = z.object({
  modelId: idSchema,
  name: z.string(),
  /** Seen from the library. */
  out: z.string(),
  what: z.union([z.object({ to: z.enum(studentKinds) }), z.object({ remove: z.array(z.string()) })]),
});

const distillInput = z.object({
  teacherId: idSchema,
  studentId: idSchema.nullable(),
  name: z.string(),
  /** Seen from the library: the run, and the model that it ends in. */
  run: z.string(),
  out: z.string(),
  settings: z.object({
    data: z.string(),
    steps: distillSettings.steps.type,
    batch: distillSettings.batch.type.optional(),
    learningRate: distillSettings.learningRate.type.optional(),
  }),
});

export function compressionHandlers({ library, queue }: StudioContext): Handlers<'compression'> {
  const { models, folder } = library;
  const present = (id: number): StoredModel => presentModel(models.get(id));
  /** A path that neither a model nor a waiting job has. */
  const freePlace = (name: string): string => {
    const placed = z.object({ out: z.string() });
    const taken = new Set(library.jobs.list().map(({ input }) => placed.safeParse(input).data?.out));
    for (let number = 1; ; number++) {
      const place = `models/${fileName(name)}${number === 1 ? '' : `-${number}`}`;
      if (!taken.has(place) && !existsSync(folder.at(place))) return place;
    }
  };
  return {
    'compression.advice': ({ modelId }) => readAdvice(models.get(modelId)),
    'compression.advise': ({ modelId }) => {
      const { name } = present(modelId);
      return {
        jobId: queue.add({ kind: 'advise', title: `Weighing the blocks of ${name}`, input: { modelId } }).id,
      };
    },
    'compression.make': ({ modelId, what, name: wanted }) => {
      const model = present(modelId);
      const name =
        wanted ??
        `${model.name}, ${'kind' in what ? kindNames[what.kind] : `${plural(what.blocks.length, 'block', 'blocks')} less`}`;
      const input: z.infer<typeof makeInput> = {
        ...{ modelId, name, out: freePlace(name) },
        what: 'kind' in what ? { to: what.kind } : { remove: what.blocks },
      };
      return { jobId: queue.add({ kind: 'compress', title: `Making ${name}`, input }).id };
    },
    'compression.distill': ({ teacherId, studentId, ...settings }) => {
      const { name: teacher } = present(teacherId);
      const name = (
        studentId === null ? `${teacher}, few steps` : `${present(studentId).name}, distilled`
      ).slice(0, 80);
      if (!existsSync(settings.data)) throw problem('file.missing', { file: settings.data });
      const out = freePlace(name);
      const input: z.infer<typeof distillInput> = {
        teacherId,
        studentId,
        name,
        out,
        run: `${out}-run`,
        settings,
      };
      return { jobId: queue.add({ kind: 'distill', title: `Distilling ${teacher}`, input }).id };
    },
  };
}

const kindNames = {
  ...{ 'bk-base': 'Base', 'bk-small': 'Small', 'bk-tiny': 'Tiny' },
  ...{ 'koala-1b': 'KOALA-1B', 'koala-700m': 'KOALA-700M' },
} as const;

/** Advice is kept in the cache, by the hash of the model. */
function advicePlace({ hash }: StoredModel): string {
  return path.join(cacheFolder(), 'advice', hash);
}

function readAdvice(model: StoredModel): BlockAdvice | null {
  return readKept(path.join(advicePlace(model), 'sensitivity.json'), adviceSchema) ?? null;
}

export function adviseJob({ library: { models, settings }, emit }: Surroundings): JobHandling<'advise'> {
  return withInput(adviseInput, {
    models: ({ input }) => [models.get(input.modelId)],
    task: ({ input }) => {
      const model = models.get(input.modelId);
      const out = advicePlace(model);
      rmSync(out, { recursive: true, force: true });
      return { ...compressDefaults, model: model.path, out, advise: true, provider: settings.get().provider };
    },
    done: ({ input }) => emit('compression.advised', input),
  });
}

export function compressJob(context: Surroundings): JobHandling<'compress'> {
  const { models, settings, folder } = context.library;
  return withInput(makeInput, {
    models: ({ input }) => [models.get(input.modelId)],
    task: ({ input: { modelId, out, what } }) => {
      const { provider } = settings.get();
      clear(folder.at(out), models.list());
      return { ...compressDefaults, ...what, model: models.get(modelId).path, out: folder.at(out), provider };
    },
    done: ({ input }, found) => void putModel(context, found, input.name, 'made'),
  });
}

export function distillJob(context: Surroundings): JobHandling<'distill'> {
  const { models, folder } = context.library;
  return withInput(distillInput, {
    models: ({ input: { teacherId, studentId } }) =>
      [teacherId, ...(studentId === null ? [] : [studentId])].map((id) => models.get(id)),
    task: ({ input: { teacherId, studentId, run, out, settings } }) => {
      clear(folder.at(out), models.list());
      return {
        ...{ run: folder.at(run), out: folder.at(out), version: context.shipped.version },
        settings: {
          ...settings,
          teacher: models.get(teacherId).path,
          ...(studentId === null ? { lcm: true } : { student: models.get(studentId).path }),
        },
      };
    },
    kept: ({ input }) => {
      const step = new RunFolder(folder.at(input.run)).checkpointSteps().at(-1);
      return step === undefined ? undefined : `The checkpoint of step ${step} is kept`;
    },
    done: ({ input }, found) => void putModel(context, found, input.name, 'made'),
  });
}

/** Removes what an interrupted job left half-written. */
function clear(out: string, known: readonly StoredModel[]): void {
  if (!known.some(({ path: place }) => place === out)) rmSync(out, { recursive: true, force: true });
}
