import * as z from 'zod';
import { idSchema, timeSchema } from './id.ts';

export const exportFormats = [
  'diffusers',
  'peft',
  'kohya',
  'single-file',
  'onnx',
  'coreml',
  'embedding',
] as const;

/** Weights written for other tools, and the proof that they are right. */
export const exportedSchema = z.object({
  id: idSchema,
  /** null: the run is gone for good. */
  runId: idSchema.nullable(),
  /** Of its subject, run and base model; of what is gone, the names at the time of the export. */
  subjectName: z.string(),
  runName: z.string(),
  modelName: z.string(),
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
