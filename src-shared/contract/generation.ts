import * as z from 'zod';
import { boxSchema } from '../domain/box.ts';
import { generationLimits as limits } from '../domain/generationLimits.ts';
import { idSchema, timeSchema } from '../domain/id.ts';
import { promptRulesSchema } from '../domain/promptRules.ts';
import { imageSchema } from '../domain/image.ts';
import { upscaleFactorSchema, upscaleSchema } from '../domain/upscale.ts';
import { endpoint } from './endpoint.ts';
import { overSchema } from './originals.ts';

export const samplers = [
  'pndm',
  'ddim',
  'ddpm',
  'dpm++2m',
  'dpm++2m-sde',
  'euler',
  'euler-a',
  'heun',
  'lms',
  'deis',
  'unipc',
  'lcm',
] as const;

const within = ({ min, max }: { readonly min: number; readonly max: number }): z.ZodNumber =>
  z.number().min(min).max(max);

/** A trained run to mix in. `step` null: the picked checkpoint, or the last. */
const loraChoiceSchema = z.object({
  runId: idSchema,
  step: z.int().min(1).nullable(),
  weight: within(limits.weight),
});
export type LoraChoice = z.infer<typeof loraChoiceSchema>;

const side = within(limits.side).int().multipleOf(limits.side.multipleOf);

export const generateInputSchema = z.object({
  /** Each may hold wildcards: "a {red|blue} mug" makes one prompt of each. */
  prompts: z.array(z.string().trim().min(1).max(2000)).min(1).max(100),
  negative: z.string().max(2000),
  /** null: the shipped model. */
  modelId: idSchema.nullable(),
  /** Only the U-Net is taken from this model; null: from the same. */
  unetId: idSchema.nullable().default(null),
  /** One row of the grid for each entry; an entry mixes several. [[]]: the base model alone. */
  mixes: z.array(z.array(loraChoiceSchema).max(8)).min(1).max(64),
  /** null: a random one. */
  seed: within(limits.seed).int().nullable(),
  /** Pictures of each prompt and mix; picture i has seed + i. */
  count: within(limits.count).int(),
  steps: within(limits.steps).int(),
  /** All three null: the model's own. */
  guidance: within(limits.guidance).nullable(),
  /** Weight of what the base model makes of the prompt; 0: none. */
  baseGuidance: within(limits.guidance).nullable().default(null),
  /** Share of the steps after which there is no guidance. */
  guidanceStop: within(limits.guidanceStop).nullable().default(null),
  /** null: the model's own. */
  sampler: z.enum(samplers).nullable(),
  /** null: the model's own. */
  size: z.object({ width: side, height: side }).nullable(),
  /** Subjects that are kept apart: each its box, and its own prompt. */
  regions: z
    .array(loraChoiceSchema.extend({ box: boxSchema, prompt: z.string().trim().min(1).max(2000) }))
    .max(6)
    .default([]),
  /** LoRA files and embeddings, in every mix. */
  files: z
    .array(z.object({ id: idSchema, weight: within(limits.weight) }))
    .max(16)
    .default([]),
  /** Use what fits of a LoRA file that was made for another model. */
  partial: z.boolean().default(false),
  /** For a subject: draw many and keep those most like its photos. null: keep the first ones. */
  select: z
    .union([
      z.object({ bestOf: within(limits.bestOf).int() }),
      z.object({ untilLike: within(limits.untilLike) }),
    ])
    .nullable()
    .default(null),
  promptRules: promptRulesSchema.default('none'),
  /** How many of the text encoder's last layers are left out. */
  clipSkip: within(limits.clipSkip).int().default(0),
  /** What is drawn over; null: nothing. */
  over: overSchema.nullable().default(null),
  /** null: as they are drawn. */
  upscale: upscaleSchema.nullable().default(null),
});
export type GenerateInput = z.infer<typeof generateInputSchema>;

export const generationRequests = {
  /** Queues a job; pictures arrive as events and in the gallery. At most 1,000 pictures. */
  'generation.start': endpoint(
    generateInputSchema,
    z.object({ jobId: idSchema, total: z.int(), seed: z.int() }),
  ),
  /** Pictures like these may be requested soon: opens what they need, unless something is computing. */
  'generation.prepare': endpoint(generateInputSchema, z.object({})),
  /** What a job makes and has made, for a page that was reloaded. */
  'generation.sheet': endpoint(
    z.object({ jobId: idSchema }),
    z.object({
      mixes: z.array(z.array(loraChoiceSchema)),
      /** In the job's order; null where there is none yet, or no longer. */
      images: z.array(imageSchema.nullable()),
      /** Pictures that were drawn to choose from; null where none is chosen. */
      tried: z.int().nullable(),
    }),
  ),
  /** Draws the pictures of a job into one, with labels: `fileUrls.grid`. */
  'generation.grid': endpoint(z.object({ jobId: idSchema }), z.object({ file: z.string() })),
  /** The prompts that wildcards make. */
  'generation.expand': endpoint(
    z.object({ prompt: z.string().max(2000) }),
    z.object({ prompts: z.array(z.string()) }),
  ),
  /** Newest first, each once. */
  'generation.recent': endpoint(
    z.object({ limit: z.int().min(1).max(200).default(30) }),
    z.array(z.object({ prompt: z.string(), negative: z.string(), usedAt: timeSchema })),
  ),
  /** The same picture again, by its recipe. Queues a job. */
  'generation.again': endpoint(z.object({ imageId: idSchema }), z.object({ jobId: idSchema })),
  /** A larger copy of a picture. Queues a job. */
  'generation.enlarge': endpoint(
    z.object({ imageId: idSchema, factor: upscaleFactorSchema }),
    z.object({ jobId: idSchema }),
  ),
};

export const generationEvents = {
  /** A coarse preview of a picture: a PNG as a data URL. `index` counts the job's pictures from 0. */
  'generation.preview': z.object({
    jobId: idSchema,
    index: z.int(),
    step: z.int(),
    steps: z.int(),
    image: z.string(),
  }),
  /** So many pictures were drawn to choose from. */
  'generation.tried': z.object({ jobId: idSchema, tried: z.int() }),
  'generation.image': z.object({ jobId: idSchema, index: z.int(), image: imageSchema }),
};
