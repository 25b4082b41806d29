import * as z from 'zod';
import { exportedSchema, exportFormats } from '../domain/exported.ts';
import { idSchema } from '../domain/id.ts';
import { receiptSchema } from '../domain/receipt.ts';
import { endpoint } from './endpoint.ts';

export const exportRequests = {
  /** Newest first. */
  'exports.list': endpoint(z.object({ runId: idSchema.optional() }), z.array(exportedSchema)),
  /** Queues a job that writes the weights, reads them back and compares. */
  'exports.start': endpoint(
    z.object({
      runId: idSchema,
      /** null: the picked checkpoint, or the last. */
      step: z.int().min(1).nullable(),
      format: z.enum(exportFormats),
      /** null: that of the base model. */
      dtype: z.enum(['f32', 'f16']).nullable(),
      /** Distils what base guidance adds, for other tools that draw with this plain guidance; null: the LoRA as it is. */
      plainGuidance: z.number().min(1.5).max(50).nullable().default(null),
    }),
    z.object({ jobId: idSchema }),
  ),
  /** How the written file was tried; null where no receipt lies beside it. */
  'exports.receipt': endpoint(z.object({ id: idSchema }), receiptSchema.nullable()),
  'exports.remove': endpoint(z.object({ id: idSchema }), z.object({ undo: z.string() })),
};

export const exportEvents = {
  'exports.changed': exportedSchema,
};
