import * as z from 'zod';
import { modelContents } from './sentModel.ts';

/** A line for people from another machine: no control characters. */
const lineType = z
  .string()
  .max(4000)
  .transform((line) => line.replace(/\p{Cc}+/gu, ' '));

/**
 * To a worker: the run it works for; why it gets none; a model that it asked for (whose files follow); present weights (which
 * follow); a batch whose gradient is wanted (with its tensors); the end of the run.
 */
export const toWorkerType = z.discriminatedUnion('type', [
  z.object({ type: z.literal('run'), run: z.unknown() }),
  z.object({ type: z.literal('refused'), why: lineType }),
  z.object({ type: z.literal('model'), contents: modelContents }),
  z.object({ type: z.literal('values') }),
  z.object({ type: z.literal('batch') }),
  z.object({ type: z.literal('end') }),
]);
export type ToWorker = z.output<typeof toWorkerType>;

/** From a worker: it lacks the model of this hash; it is ready (`length`: of its layout); a batch's gradient (which follows); why it can't continue. */
export const fromWorkerType = z.discriminatedUnion('type', [
  z.object({ type: z.literal('lacks'), hash: z.string().max(128) }),
  z.object({ type: z.literal('ready'), length: z.int().min(0), name: lineType }),
  z.object({
    type: z.literal('gradient'),
    // JSON has no NaN: a loss that is none comes as null.
    losses: z.record(
      z.string(),
      z
        .number()
        .nullable()
        .transform((loss) => loss ?? NaN),
    ),
    seconds: z.number(),
  }),
  z.object({ type: z.literal('failed'), code: z.string().max(100), message: lineType }),
]);
export type FromWorker = z.output<typeof fromWorkerType>;
