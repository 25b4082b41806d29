import * as z from 'zod';
import { adviceSchema } from '../domain/advice.ts';
import { distillSettings } from '../domain/distillSettings.ts';
import { idSchema, nameSchema, pathSchema } from '../domain/id.ts';
import { endpoint } from './endpoint.ts';

const ofModel = z.object({ modelId: idSchema });
const queued = z.object({ jobId: idSchema });

export const studentKinds = ['bk-base', 'bk-small', 'bk-tiny', 'koala-1b', 'koala-700m'] as const;

/** Making a smaller model of a model. */
export const compressionRequests = {
  /** What each block contributes; null before it was measured. */
  'compression.advice': endpoint(ofModel, adviceSchema.nullable()),
  /** Queues a job that leaves out each block in turn and measures how much the prediction changes. */
  'compression.advise': endpoint(ofModel, queued),
  /**
   * Queues a job that writes the smaller model into the library and puts it on the list: a published kind, or the model without
   * the chosen blocks.
   */
  'compression.make': endpoint(
    ofModel.extend({
      what: z.union([
        z.object({ kind: z.enum(studentKinds) }),
        z.object({ blocks: z.array(z.string().min(1).max(60)).min(1).max(100) }),
      ]),
      name: nameSchema.optional(),
    }),
    queued,
  ),
  /**
   * Queues a job that trains the smaller model to match the larger one, or without a smaller one the model itself to draw in few
   * steps, on a folder of captioned pictures.
   */
  'compression.distill': endpoint(
    z.object({
      teacherId: idSchema,
      studentId: idSchema.nullable(),
      /** With `metadata.csv`, or a `.txt` beside each picture. */
      data: pathSchema,
      steps: distillSettings.steps.type,
      batch: distillSettings.batch.type.optional(),
      learningRate: distillSettings.learningRate.type.optional(),
    }),
    queued,
  ),
};

export const compressionEvents = {
  /** Its blocks have been measured. */
  'compression.advised': ofModel,
};
