import * as z from 'zod';

/** Which 25 prompts: ours, or those of DreamBooth's evaluation. */
export const promptListNames = ['standard', 'dreambooth'] as const;
export type PromptList = (typeof promptListNames)[number];

/** A measured value with its 95 % interval, if there is one. */
const measuredSchema = z.object({
  value: z.number(),
  low: z.number().nullable(),
  high: z.number().nullable(),
});
export type Measured = z.infer<typeof measuredSchema>;

/** The scores of one checkpoint; null where the features for it are not there. Each in 0…1, more is better, except `leak`. */
export const checkpointScoreSchema = z.object({
  /** Pictures to photos. */
  subject: measuredSchema.nullable(),
  /** Pictures to prompts. */
  prompt: measuredSchema.nullable(),
  /** Pictures to each other. */
  variety: measuredSchema.nullable(),
  /** How far pictures of the class, without the token, moved towards the subject: less is better. */
  leak: measuredSchema.nullable(),
  /** A picture is nearer to one photo than photos are to each other. */
  memorized: z.boolean().nullable(),
});
export type CheckpointScore = z.infer<typeof checkpointScoreSchema>;

/** One subject of several: its pictures' likeness to its own photos, to those of the others, and how many are more like another's. */
const apartSchema = z.object({
  own: measuredSchema,
  others: z.array(z.object({ name: z.string(), likeness: measuredSchema })),
  /** 0…1 */
  mixed: z.number(),
});

/** Which features a figure came from: "subject (MobileNetV2)". */
export const scoreReportSchema = z.object({
  checkpoints: z.array(z.object({ step: z.int(), score: checkpointScoreSchema })),
  /** What the pictures of each checkpoint show: `fileUrls.scored`, in this order. */
  prompts: z.array(z.string()).default([]),
  pick: z.object({ step: z.int(), reason: z.string() }).nullable(),
  /** Fidelity against editability, and the step where the curve bends most; null in a report of an earlier version. */
  curve: z
    .object({
      knee: z.int(),
      fidelityBy: z.string(),
      editabilityBy: z.string(),
      points: z.array(z.object({ step: z.int(), fidelity: z.number(), editability: z.number() })),
    })
    .nullable()
    .default(null),
  /** For a run with several subjects: how well each, as prompts name it, is kept apart from the others. */
  subjects: z
    .array(
      z.object({
        name: z.string(),
        photos: apartSchema,
        base: apartSchema,
        checkpoints: z.array(z.object({ step: z.int(), apart: apartSchema })),
      }),
    )
    .default([]),
  /** Problems that were found, as sentences. */
  warnings: z.array(z.string()),
  features: z.record(z.string(), z.string()),
});
export type ScoreReport = z.infer<typeof scoreReportSchema>;
