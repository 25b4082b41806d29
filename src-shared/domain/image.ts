import * as z from 'zod';
import { idSchema, timeSchema } from './id.ts';
import { recipeSchema } from './recipe.ts';

/** A picture that was made, as lists show it. */
export const imageSchema = z.object({
  id: idSchema,
  /** File name. */
  name: z.string(),
  width: z.int(),
  height: z.int(),
  createdAt: timeSchema,
  prompt: z.string(),
  seed: z.int(),
  subjectId: idSchema.nullable(),
  runId: idSchema.nullable(),
  /** The checkpoint of `runId` it was made with. */
  step: z.int().nullable(),
  favourite: z.boolean(),
  /** Likeness to the subject's photos, 0…1, where it was measured. */
  score: z.number().nullable(),
});
export type Image = z.infer<typeof imageSchema>;

/** Everything known about one picture. */
export const imageDetailSchema = imageSchema.extend({
  /** Seen from the library's folder. */
  file: z.string(),
  bytes: z.int(),
  hash: z.string(),
  recipe: recipeSchema.nullable(),
});
export type ImageDetail = z.infer<typeof imageDetailSchema>;

export const imageOrders = ['newest', 'oldest', 'score'] as const;

/** Which pictures are shown; what is left out does not matter. */
export const imageFilterSchema = z.object({
  subjectId: idSchema.optional(),
  runId: idSchema.optional(),
  step: z.int().optional(),
  /** Words of the prompt; the last one may be incomplete. */
  text: z.string().max(500).optional(),
  favourite: z.boolean().optional(),
  minScore: z.number().optional(),
  /** Times, both inclusive. */
  from: timeSchema.optional(),
  to: timeSchema.optional(),
  /** Those of one job. */
  jobId: idSchema.optional(),
});
export type ImageFilter = z.infer<typeof imageFilterSchema>;
export type ImageOrder = (typeof imageOrders)[number];
