import { z } from 'zod';
import { classNounSchema, tokenSchema } from './subject.ts';

const count = z.int().min(1).max(1_000_000);
const fraction = z.number().min(0).lt(1);
export const loraSettingsSchema = z.object({
  rank: z.int().min(1).max(1024),
  alpha: z.number().positive().max(10_000),
  targets: z.array(z.string().min(1).max(60)).min(1).max(32),
});

/** The knobs of a finetune that people may turn. Names as in `likeness finetune`. */
export const trainingSettingsSchema = z.object({
  classNoun: classNounSchema,
  token: tokenSchema,
  method: z.enum(['lora', 'full']),
  steps: count,
  learningRate: z.number().positive().max(1),
  batch: z.int().min(1).max(64),
  accumulate: z.int().min(1).max(256),
  schedule: z.enum(['constant', 'constant_with_warmup', 'linear', 'cosine']),
  warmup: z.int().min(0).max(1_000_000),
  lora: loraSettingsSchema,
  textLora: loraSettingsSchema,
  trainTextEncoder: z.boolean(),
  /** Prior preservation; null: none. */
  prior: z.object({ weight: z.number().min(0).max(100), classImages: z.int().min(1).max(10_000) }).nullable(),
  beta1: fraction,
  beta2: fraction,
  epsilon: z.number().positive().max(1),
  weightDecay: z.number().min(0).max(1),
  maxGradientNorm: z.number().positive().max(1_000_000),
  seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  size: z.int().min(8).max(2048).multipleOf(8),
  crop: z.enum(['center', 'random']),
  flip: z.boolean(),
  /** What is around the subject counts in photos with a mask. */
  backgroundWeight: z.number().min(0).max(1),
  checkpointEvery: count,
  /** Steps between samples; null: no samples. */
  sampleEvery: count.nullable(),
  samplePrompt: z.string().max(2000).nullable(),
});
export type TrainingSettings = z.infer<typeof trainingSettingsSchema>;

/** What differs from a preset. */
export const trainingChangesSchema = trainingSettingsSchema.partial();
export type TrainingChanges = z.infer<typeof trainingChangesSchema>;
