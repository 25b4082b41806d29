import * as z from 'zod';
import { idSchema, timeSchema } from './id.ts';
import { problemSchema } from '../messages/problem.ts';

export const jobKinds = [
  'train',
  'measure',
  'generate',
  'score',
  'influence',
  'evaluate',
  'export',
  'import',
  'download',
  'advise',
  'compress',
  'distill',
] as const;
const jobStates = ['queued', 'running', 'paused', 'failed', 'cancelled', 'done'] as const;
export type JobKind = (typeof jobKinds)[number];
export type JobState = (typeof jobStates)[number];

/** Whether jobs of this kind compute, one at a time; the others only read and write, and may run beside them. */
export function computes(kind: JobKind): boolean {
  return kind !== 'import' && kind !== 'download';
}

export const jobProgressSchema = z.object({
  done: z.number(),
  total: z.number(),
  /** "class pictures", "steps", "pictures" */
  label: z.string(),
  /** How much of the whole job is done, 0…1; null while unknown. */
  share: z.number().nullable().default(null),
  /** Seconds left of the whole job; null while unknown. */
  eta: z.number().nullable(),
  /** Resident bytes of the worker; null while unknown. */
  memory: z.number().nullable(),
});
export type JobProgress = z.infer<typeof jobProgressSchema>;

/** A piece of work in the queue. */
export const jobSchema = z.object({
  id: idSchema,
  kind: z.enum(jobKinds),
  /** "Training Rex", for people. */
  title: z.string(),
  state: z.enum(jobStates),
  /** Place in the queue; less is sooner. */
  position: z.number(),
  progress: jobProgressSchema.nullable(),
  /** Its next state, once its worker has saved what it has. */
  stopping: z.enum(['paused', 'cancelled']).nullable(),
  createdAt: timeSchema,
  startedAt: timeSchema.nullable(),
  finishedAt: timeSchema.nullable(),
  error: problemSchema.nullable(),
  /** Warnings while it ran. */
  warnings: z.array(z.string()),
  subjectId: idSchema.nullable(),
  runId: idSchema.nullable(),
});
export type Job = z.infer<typeof jobSchema>;
