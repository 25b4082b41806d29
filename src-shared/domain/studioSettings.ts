import * as z from 'zod';
import { idSchema, timeSchema } from './id.ts';
import { providerChoices } from './providers.ts';

/** The studio's settings, kept in the library. */
export const settingsSchema = z.object({
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  /** All connections to other machines are blocked. */
  offline: z.boolean().default(true),
  /** Models may be downloaded from the Hub; needs `offline` off. */
  downloads: z.boolean().default(false),
  /** The base model for new runs and pictures; null: the shipped one. */
  modelId: idSchema.nullable().default(null),
  /** What computes. */
  provider: z.enum(providerChoices).default('auto'),
  /** The tour was finished or dismissed. */
  tourDone: z.boolean().default(false),
  /** When the tour last began: it looks at what was made since. */
  tourSince: timeSchema.default(0),
  /** Side of the gallery's tiles in pixels. */
  tileSize: z.int().min(80).max(512).default(176),
  /** Folders with the person's own scorers. */
  clipFolder: z.string().max(4096).nullable().default(null),
  dinoFolder: z.string().max(4096).nullable().default(null),
});
export type Settings = z.infer<typeof settingsSchema>;
