import * as z from 'zod';
import { idSchema } from '../domain/id.ts';
import { jobProgressSchema, jobSchema } from '../domain/job.ts';
import { endpoint } from './endpoint.ts';

const one = z.object({ id: idSchema });

export const jobRequests = {
  /** Running, then queued in their order, then ended ones, newest first. */
  'jobs.list': endpoint(z.object({}), z.array(jobSchema)),
  /** Keeps what is done and waits; a paused training resumes to the same bits. */
  'jobs.pause': endpoint(one, jobSchema),
  'jobs.resume': endpoint(one, jobSchema),
  'jobs.cancel': endpoint(one, jobSchema),
  /** Tries a failed or cancelled job again; a training resumes where it was. */
  'jobs.retry': endpoint(one, jobSchema),
  /** Moves a job in front of another queued one; null: to the end. */
  'jobs.move': endpoint(one.extend({ before: idSchema.nullable() }), jobSchema),
  /** Runs a job now: the computing one keeps what it has, makes way, and resumes by itself afterwards. */
  'jobs.first': endpoint(one, jobSchema),
  /** Forgets the finished ones. */
  'jobs.clear': endpoint(z.object({}), z.object({})),
};

export const jobEvents = {
  'jobs.changed': jobSchema,
  'jobs.progress': z.object({ id: idSchema, progress: jobProgressSchema }),
  'jobs.removed': z.object({ ids: z.array(idSchema) }),
};
