import { z } from 'zod';
import { idSchema, timeSchema } from './id.ts';

export const exportFormats = ['diffusers', 'peft', 'kohya', 'single-file', 'onnx', 'embedding'] as const;

/** Weights written for other tools, and the proof that they are right. */
export const exportedSchema = z.object({
  id: idSchema,
  runId: idSchema,
  step: z.int(),
  format: z.enum(exportFormats),
  /** Seen from the library's folder. */
  path: z.string(),
  bytes: z.number(),
  createdAt: timeSchema,
  /** Tensors that were read back, and the largest difference of a picture made with them. */
  tensors: z.int(),
  maxError: z.number(),
});
export type Exported = z.infer<typeof exportedSchema>;
