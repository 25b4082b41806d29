import * as z from 'zod';
import { trainingChangesType, trainingSettingsType } from '../domain/finetuneSettings.ts';
import { idSchema, nameSchema, pathSchema } from '../domain/id.ts';
import { lengthSettings } from '../domain/loopSettings.ts';
import { checkpointSchema, lossCurveSchema, rerunSchema, runSchema } from '../domain/run.ts';
import { endpoint } from './endpoint.ts';
import { undoSchema } from './trash.ts';

const one = z.object({ id: idSchema });

/** Other subjects that the run learns in turn with the first. */
const otherSubjectIds = z.array(idSchema).max(20).default([]);

const presetNames = ['quick', 'balanced', 'thorough'] as const;

/** A preset on this machine. */
const presetSchema = z.object({
  name: z.enum(presetNames),
  settings: trainingSettingsType,
  /** Steps of the run with the person's changes; time and memory are of that run, too. */
  steps: z.int(),
  /** Seconds for the whole run, class pictures and samples included; null before it was measured. */
  seconds: z.number().nullable(),
  /** Bytes at the peak. */
  memory: z.number(),
  /** Time and memory come from a dry run on this machine; else the memory is estimated from the model's size. */
  measured: z.boolean(),
  /** Whether it fits into the room that there is. */
  fits: z.boolean(),
  /** Bytes that a run may take: of the graphics device that computes, by its name, or (null) of the machine's memory. */
  room: z.object({ bytes: z.number(), device: z.string().nullable() }),
  /** What was reduced so that it fits, in words. */
  reductions: z.array(z.string()),
});
export type Preset = z.infer<typeof presetSchema>;

export const trainingRequests = {
  /** Answers quickly: from earlier measurements and runs on this machine, or else from the size of the model. */
  'training.presets': endpoint(
    z.object({
      subjectId: idSchema,
      modelId: idSchema.nullable(),
      otherSubjectIds,
      /** Count for each preset's figures; its `settings` stay the preset's own. */
      changes: trainingChangesType.optional(),
      /** The person brings pictures of the class. */
      ownClass: z.boolean().optional(),
    }),
    z.array(presetSchema),
  ),
  /**
   * Queues a dry run: a few real steps, for the figures of the presets. If it doesn't fit, smaller settings are tried in a job of
   * their own.
   */
  'training.measure': endpoint(
    z.object({
      subjectId: idSchema,
      modelId: idSchema.nullable(),
      changes: trainingChangesType.optional(),
    }),
    z.object({ jobId: idSchema }),
  ),
  /** Starts a run; the settings are those of the preset with `changes` laid over. Queues a job. */
  'training.start': endpoint(
    z.object({
      subjectId: idSchema,
      otherSubjectIds,
      /** null: the shipped model. */
      modelId: idSchema.nullable(),
      preset: z.enum(presetNames),
      changes: trainingChangesType.optional(),
      name: nameSchema.optional(),
      /** Scores every checkpoint, and ends when two in a row did not beat the best; null: at the last step. */
      until: z.enum(['best']).nullable().default(null),
      /** A folder with pictures of the class, for prior preservation; null: the base model draws them. */
      classPhotos: pathSchema.nullable().default(null),
    }),
    runSchema,
  ),
  /** Newest first. */
  'training.runs': endpoint(z.object({ subjectId: idSchema.optional() }), z.array(runSchema)),
  'training.run': endpoint(
    one,
    z.object({
      run: runSchema,
      checkpoints: z.array(checkpointSchema),
      /** Steps with a sample; 0 is before the first step. */
      samples: z.array(z.int()),
      curve: lossCurveSchema,
      /** null: it makes no other run again. */
      rerun: rerunSchema.nullable(),
    }),
  ),
  /** Resumes a cancelled, failed or finished run, up to `steps`. Queues a job. */
  'training.resume': endpoint(one.extend({ steps: lengthSettings.steps.type.optional() }), runSchema),
  /** Makes a run that is done again from its capsule, as a new run, and compares the bits. Queues a job. */
  'training.rerun': endpoint(one, runSchema),
  'training.rename': endpoint(one.extend({ name: nameSchema }), runSchema),
  /** The checkpoint to use; null: the last. */
  'training.pick': endpoint(one.extend({ step: z.int().nullable() }), runSchema),
  'training.remove': endpoint(one, undoSchema),
};

export const trainingEvents = {
  'training.changed': runSchema,
  'training.removed': one,
  /** A dry run has ended: the presets may have better figures. */
  'training.measured': z.object({ modelId: idSchema }),
  'training.step': z.object({ runId: idSchema, step: z.int(), loss: z.number(), seconds: z.number() }),
  'training.checkpoint': checkpointSchema,
  /** The sample of `step` is there: `fileUrls.sample`. */
  'training.sample': z.object({ runId: idSchema, step: z.int() }),
};
