import * as z from 'zod';
import { idSchema, nameSchema, timeSchema } from './id.ts';

/** A group of subjects. */
export const projectSchema = z.object({
  id: idSchema,
  name: nameSchema,
  createdAt: timeSchema,
  subjects: z.int(),
});
export type Project = z.infer<typeof projectSchema>;
