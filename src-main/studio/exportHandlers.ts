import { rmSync } from 'node:fs';
import * as z from 'zod';
import { exportFormats } from '../../src-shared/domain/exported.ts';
import { receiptPlace, receiptSchema } from '../../src-shared/domain/receipt.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { readKept } from '../readKept.ts';
import { withInput, type JobHandling } from '../jobs/kind.ts';
import { fileName } from '../storage/libraryFolder.ts';
import type { Handlers, StudioContext, Surroundings } from './context.ts';
import { sizeOf } from './sizeOf.ts';

const exportInput = z.object({
  step: z.int(),
  format: z.enum(exportFormats),
  dtype: z.enum(['f32', 'f16']).nullable(),
  plainGuidance: z.number().nullable().default(null),
  /** Seen from the library. */
  out: z.string(),
});

export function exportHandlers({ library, queue }: StudioContext): Handlers<'exports'> {
  const { exports, runs, subjects, checkpoints, trash, folder } = library;
  return {
    'exports.list': ({ runId }) => exports.list(runId),
    'exports.start': ({ runId, step, format, dtype, plainGuidance }) => {
      const run = runs.get(runId);
      const steps = checkpoints.list(runId).map((checkpoint) => checkpoint.step);
      const chosen = step ?? run.pickedStep ?? steps.at(-1);
      if (chosen === undefined) throw problem('run.untrained', { name: run.name });
      if (!steps.includes(chosen))
        throw problem('run.noCheckpoint', { folder: run.name, wanted: String(chosen) });
      const subject = subjects.get(run.subjectId);
      const holder = folder.claim('exports', `${fileName(subject.name)} ${chosen} ${format}`);
      const input: z.infer<typeof exportInput> = {
        step: chosen,
        format,
        dtype,
        plainGuidance,
        out: `${holder}/${fileName(subject.name)}`,
      };
      const title = `Exporting ${subject.name} as ${format}`;
      return { jobId: queue.add({ kind: 'export', title, input, subjectId: subject.id, runId }).id };
    },
    // An export of an earlier version has none, or one of another shape.
    'exports.receipt': ({ id }) =>
      readKept(receiptPlace(folder.at(exports.get(id).path), 'json'), receiptSchema) ?? null,
    'exports.remove': ({ id }) => {
      exports.get(id);
      return { undo: trash.remove('exports', [id]) };
    },
  };
}

export function exportJob({ library, emit, shipped }: Surroundings): JobHandling<'export'> {
  const { runs, exports, folder } = library;
  return withInput(exportInput, {
    task: ({ runId, input: { step, format, dtype, out, plainGuidance: scale } }) => {
      // The path is this job's own: anything there is from an attempt that was cut off.
      for (const name of [out, `${out}.safetensors`, receiptPlace(out, 'json'), receiptPlace(out, 'png')])
        rmSync(folder.at(name), { recursive: true, force: true });
      const request = {
        run: folder.at(runs.get(runId ?? 0).folder),
        checkpoint: step,
        format,
        out: folder.at(out),
        ...(dtype !== null && { dtype }),
        transformers: 5 as const,
        ...(scale !== null && { distill: { scale, mobileNet: shipped.scorers.mobileNet } }),
      };
      return { request, version: shipped.version };
    },
    done: ({ runId, input: { step, format } }, { path, tensors, maxError }) => {
      const place = folder.relative(path);
      // Called twice if the job's end could not be written the first time.
      const known = exports.list(runId ?? 0).find((one) => one.path === place);
      const about = { step, format, tensors, maxError, path: place, bytes: sizeOf(path) };
      emit('exports.changed', known ?? exports.add({ runId: runId ?? 0, ...about }));
    },
  });
}
