import * as z from 'zod';
import { finetuneSettings } from './finetuneSettings.ts';
import { generationLimits } from './generationLimits.ts';
import { idSchema, pathSchema, timeSchema } from './id.ts';

/** A mean per row or a figure per row, with the names of its columns. */
export const evaluationTableSchema = z.object({
  columns: z.array(z.string()),
  /** null where a network that a figure needs was not given. */
  rows: z.array(z.object({ name: z.string(), values: z.array(z.number().nullable()) })),
});
export type EvaluationTable = z.infer<typeof evaluationTableSchema>;

export const picturesPerPrompt = { min: 1, max: 1000, default: 4 } as const;

/** What is measured: a set of pictures, pictures of a subject, or a model by DreamBooth's protocol. */
export const evaluationSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('set'),
    images: pathSchema,
    /** Pictures, or a file of features or statistics. */
    reference: pathSchema.nullable(),
    prompts: pathSchema.nullable(),
    /** pytorch-fid's weights; without them, the shipped MobileNetV2 compares. */
    inception: pathSchema.nullable(),
  }),
  z.object({
    kind: z.literal('subject'),
    images: pathSchema,
    subjectId: idSchema,
    prompts: pathSchema.nullable(),
  }),
  z.object({
    kind: z.literal('dreambooth'),
    /** A folder with a folder of photos for each subject. */
    subjects: pathSchema,
    /** null: the shipped model. */
    modelId: idSchema.nullable(),
    /** Of each finetune; null: the model's own. */
    steps: finetuneSettings.steps.type.nullable(),
    /** Pictures per prompt. */
    count: z.int().min(picturesPerPrompt.min).max(picturesPerPrompt.max),
    drawSteps: z.int().min(generationLimits.steps.min).max(generationLimits.steps.max),
  }),
]);
export type Evaluation = z.infer<typeof evaluationSchema>;

/** An evaluation that has ended. */
export const evaluationReportSchema = z.object({
  id: idSchema,
  name: z.string(),
  /** Where its runs and pictures are, seen from the library; null if it made none. */
  path: z.string().nullable(),
  /** What is missing, and why. */
  notes: z.array(z.string()),
  figures: evaluationTableSchema,
  measuredAt: timeSchema,
});
export type EvaluationReport = z.infer<typeof evaluationReportSchema>;
export type NewEvaluation = Omit<EvaluationReport, 'id'>;
