import { z } from 'zod';
import { predictions } from './prediction.ts';
import { promptRulesSchema } from './promptRules.ts';

/** Everything needed to make a picture again. */
export const recipeSchema = z.object({
  /** The program's version that made it. */
  version: z.string(),
  /** `hash`: SHA-256 of the weights, hex, or its beginning. `path`: older versions wrote one, seen from the picture's folder. */
  model: z.object({ name: z.string(), path: z.string().optional(), hash: z.string() }),
  /** Of a U-Net from elsewhere than the model, whose hash covers it. */
  unet: z.object({ name: z.string(), hash: z.string() }).optional(),
  /** `path`: a name; of older versions a path, as above. */
  loras: z.array(z.object({ path: z.string(), hash: z.string(), weight: z.number() })),
  /** Said by the person, for a model whose file does not say it. */
  prediction: z.enum(predictions).optional(),
  /** Of the text encoder's last layers. */
  clipSkip: z.int().min(0).optional(),
  /** Textual inversions: the file's name, the word that stands for it, and a hash of its vectors. */
  embeddings: z.array(z.object({ name: z.string(), word: z.string(), hash: z.string() })).optional(),
  prompt: z.string(),
  negative: z.string(),
  /** As written where it is left out. */
  promptRules: promptRulesSchema.optional(),
  seed: z.int().min(0),
  steps: z.int().min(1),
  guidance: z.number(),
  /** How much of what the base model makes of the prompt; none where it is left out. */
  baseGuidance: z.number().optional(),
  /** Share of the steps after which there was no guidance; all had it where this is left out. */
  guidanceStop: z.number().optional(),
  scheduler: z.string(),
  width: z.int().min(1),
  height: z.int().min(1),
  /** Hash of starting noise that came from a file and not from the seed. */
  latents: z.string().optional(),
  /** What was drawn over, by the SHA-256 of its file, hex, or its beginning; nothing where it is left out. */
  image: z.object({ name: z.string(), hash: z.string() }).optional(),
  /** Share of the steps that was taken. */
  strength: z.number().optional(),
  mask: z.object({ name: z.string(), hash: z.string() }).optional(),
  /** Pixels around the mask that were drawn with it; the whole picture was where this is left out. */
  maskPadding: z.number().optional(),
});

export type Recipe = z.infer<typeof recipeSchema>;
