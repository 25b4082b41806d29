import * as z from 'zod';
import { idSchema, nameSchema, timeSchema } from './id.ts';

/** A LoRA of any tool, or a textual inversion, that was imported: its file stays where the person has it. */
export const loraFileSchema = z.object({
  id: idSchema,
  name: nameSchema,
  kind: z.enum(['lora', 'embedding']),
  path: z.string(),
  /** "LoRA, DoRA", "LoKr"; of an embedding how many vectors it has. */
  about: z.string(),
  /** What stands for it in prompts: an embedding's own word, and those in a LoRA's file. */
  words: z.array(z.string()),
  bytes: z.number(),
  /** What of it can't be used, by name. */
  problems: z.array(z.string()),
  addedAt: timeSchema,
  /** Its file is where it was. */
  available: z.boolean(),
});
export type LoraFile = z.infer<typeof loraFileSchema>;
