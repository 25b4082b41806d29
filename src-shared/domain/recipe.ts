import * as z from 'zod';
import { boxSchema } from './box.ts';
import { predictions } from './prediction.ts';
import { promptRulesSchema } from './promptRules.ts';
import { upscaleFactorSchema } from './upscale.ts';

/** Everything needed to make a picture again. */
export const recipeSchema = z.object({
  /** The program's version that made it. */
  version: z.string(),
  /** `hash`: SHA-256 of the weights, hex, or its beginning. `path`: older versions wrote one, seen from the picture's folder. */
  model: z.object({ name: z.string(), path: z.string().optional(), hash: z.string() }),
  /** A U-Net from another model; the model's hash covers it. */
  unet: z.object({ name: z.string(), hash: z.string() }).optional(),
  /** `path`: a name; of older versions a path, as above. */
  loras: z.array(z.object({ path: z.string(), hash: z.string(), weight: z.number() })),
  /** Said by the person, for a model whose file does not say it. */
  prediction: z.enum(predictions).optional(),
  /** How many of the text encoder's last layers were left out. */
  clipSkip: z.int().min(0).optional(),
  /** Textual inversions: the file's name, the word that stands for it, and a hash of its vectors. */
  embeddings: z.array(z.object({ name: z.string(), word: z.string(), hash: z.string() })).optional(),
  /** Boxes that were drawn by a LoRA and from a prompt of their own. */
  regions: z
    .array(
      z.object({
        box: boxSchema,
        prompt: z.string(),
        lora: z.object({ path: z.string(), hash: z.string(), weight: z.number() }),
      }),
    )
    .optional(),
  prompt: z.string(),
  negative: z.string(),
  /** Prompts were read as written when left out. */
  promptRules: promptRulesSchema.optional(),
  seed: z.int().min(0),
  steps: z.int().min(1),
  guidance: z.number(),
  /** Weight of what the base model made of the prompt; 0 when left out. */
  baseGuidance: z.number().optional(),
  /** Share of the steps after which guidance ended; 1 when left out. */
  guidanceStop: z.number().optional(),
  scheduler: z.string(),
  width: z.int().min(1),
  height: z.int().min(1),
  /** Hash of starting noise that came from a file and not from the seed. */
  latents: z.string().optional(),
  /** What was drawn over, by the SHA-256 of its file, hex, or its beginning; nothing when left out. */
  image: z.object({ name: z.string(), hash: z.string() }).optional(),
  /** Share of the steps that was taken. */
  strength: z.number().optional(),
  mask: z.object({ name: z.string(), hash: z.string() }).optional(),
  /** Pixels drawn around the mask; the whole picture when left out. */
  maskPadding: z.number().optional(),
  /** How the picture of `width` × `height` was enlarged, by which network, and how much of it was then redrawn; not at all when left out. */
  upscale: z
    .object({
      factor: upscaleFactorSchema,
      network: z.object({ name: z.string(), hash: z.string() }),
      strength: z.number().optional(),
    })
    .optional(),
});

export type Recipe = z.infer<typeof recipeSchema>;
