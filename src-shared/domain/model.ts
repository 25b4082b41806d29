import * as z from 'zod';
import { guidanceSchema } from './guidance.ts';
import { idSchema, nameSchema, timeSchema } from './id.ts';

/** A base model: the shipped one, or one that was imported or downloaded. */
export const modelSchema = z.object({
  id: idSchema,
  name: nameSchema,
  /**
   * `shipped` comes with Likeness, `linked` stays where the person has it; `downloaded` and `made` (a smaller model, made here)
   * are in the library.
   */
  source: z.enum(['shipped', 'linked', 'downloaded', 'made']),
  path: z.string(),
  kind: z.enum(['folder', 'single-file']),
  /** "SD 1.x", "SD 2.x", … */
  family: z.string(),
  hash: z.string(),
  parameters: z.number(),
  bytes: z.number(),
  /** Its default size in pixels. */
  width: z.int(),
  height: z.int(),
  addedAt: timeSchema,
  /** Its default guidance. */
  guidance: guidanceSchema,
  /** The same for a subject that it was taught. */
  subjectGuidance: guidanceSchema,
  /** Places it draws, as its own `likeness.json` says: "in the snow". */
  places: z.array(z.string()).default([]),
  /** Its folder holds a sheet of pictures that it drew: `fileUrls.sheet`. */
  sheet: z.boolean().default(false),
  /** Whether its files are still there. */
  available: z.boolean(),
  problems: z.array(z.string()),
});
export type Model = z.infer<typeof modelSchema>;
