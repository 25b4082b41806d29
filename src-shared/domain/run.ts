import * as z from 'zod';
import { trainingSettingsType } from './finetuneSettings.ts';
import { idSchema, nameSchema, timeSchema } from './id.ts';
import { problemSchema } from '../messages/problem.ts';
import { checkpointScoreSchema } from './score.ts';

const runStates = ['queued', 'running', 'paused', 'failed', 'cancelled', 'done'] as const;

/** One training of a subject. */
export const runSchema = z.object({
  id: idSchema,
  subjectId: idSchema,
  name: nameSchema,
  /** Seen from the library's folder. */
  folder: z.string(),
  state: z.enum(runStates),
  modelId: idSchema.nullable(),
  modelName: z.string(),
  settings: trainingSettingsType,
  /** Steps done. */
  step: z.int(),
  loss: z.number().nullable(),
  secondsPerStep: z.number().nullable(),
  createdAt: timeSchema,
  finishedAt: timeSchema.nullable(),
  /** The job that trains it, while there is one. */
  jobId: idSchema.nullable(),
  error: problemSchema.nullable(),
  checkpoints: z.int(),
  /** The checkpoint picked by scores or by the person. */
  pickedStep: z.int().nullable(),
});
export type Run = z.infer<typeof runSchema>;

export const checkpointSchema = z.object({
  id: idSchema,
  runId: idSchema,
  step: z.int(),
  createdAt: timeSchema,
  /** A sample picture of this step is there: `fileUrls.sample`. */
  sample: z.boolean(),
  score: checkpointScoreSchema.nullable(),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;

/** That a run makes another one again, and what came of it. */
export const rerunSchema = z.object({
  /** The other run's name. */
  name: z.string(),
  /** Whether the same bits came out; null before its end. */
  same: z.boolean().nullable(),
  /** What is not as it was. */
  changed: z.array(z.string()),
});
export type Rerun = z.infer<typeof rerunSchema>;

/** The loss curve; columns, as the plot wants them. */
export const lossCurveSchema = z.object({
  steps: z.array(z.int()),
  losses: z.array(z.number()),
});
export type LossCurve = z.infer<typeof lossCurveSchema>;
