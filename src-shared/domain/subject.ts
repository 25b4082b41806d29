import * as z from 'zod';
import { idSchema, nameSchema, pathSchema, timeSchema } from './id.ts';

/** What it is called in prompts: "a photo of {token} {classNoun}". One to four words of letters, digits and hyphens. */
const wordsSchema = z
  .string()
  .trim()
  .max(60)
  .regex(/^[\p{L}\p{M}\p{N}]+(?:[ '-][\p{L}\p{M}\p{N}]+){0,5}$/u);

export const classNounSchema = wordsSchema;
export const tokenSchema = wordsSchema;

/** The thing, animal or person that a model is taught. */
export const subjectSchema = z.object({
  id: idSchema,
  projectId: idSchema,
  name: nameSchema,
  /** "dog"; empty until it is said. */
  classNoun: z.string(),
  /** "sks" */
  token: z.string(),
  createdAt: timeSchema,
  /** In the library, seen from its folder. */
  folder: z.string(),
  /** New pictures in this folder become photos of the subject. */
  watched: pathSchema.nullable(),
  photos: z.int(),
  runs: z.int(),
  images: z.int(),
  /** The photo that represents it. */
  cover: idSchema.nullable(),
  /** Made from the photos that come with Likeness. */
  sample: z.boolean(),
});
export type Subject = z.infer<typeof subjectSchema>;
