import type { z } from 'zod';
import type { JobKind } from '../../src-shared/domain/job.ts';
import { faultOf } from '../../src-shared/domain/settingValues.ts';
import type { WorkerEvent } from '../../src-shared/domain/workerMessages.ts';
import { problem } from '../../src-shared/messages/index.ts';
import type { ResultOf, TaskOf } from '../features/tasks.ts';
import type { StoredJob } from '../storage/jobs.ts';
import type { StoredModel } from '../storage/models.ts';

/** What the queue must know of one kind of job. */
export interface JobHandling<K extends JobKind, Input = unknown> {
  /** What the worker is told, made anew at each start: a job that was interrupted goes on where it was. */
  readonly task: (job: StoredJob<Input>) => TaskOf<K>;
  /** The models it uses: a worker refuses those that are not as they were when they were added. */
  readonly models?: (job: StoredJob<Input>) => readonly StoredModel[];
  /** What one of each phase of the plan takes here, in seconds, where that was measured. */
  readonly expected?: (job: StoredJob<Input>) => Readonly<Record<string, number>> | undefined;
  /** The worker may open sockets to other machines. */
  readonly online?: boolean;
  /** The worker stays for a while when it is done, with what it has opened, for the next job of its kind. */
  readonly stays?: boolean;
  readonly event?: (job: StoredJob<Input>, event: WorkerEvent) => void | Promise<void>;
  readonly done?: (job: StoredJob<Input>, result: ResultOf<K>) => void | Promise<void>;
  /** What of it is finished and stays when its worker crashes, in words ("3 of 8 pictures are finished"); nothing: it begins anew. */
  readonly kept?: (job: StoredJob<Input>) => string | undefined;
  /** The job's state has changed. */
  readonly changed?: (job: StoredJob<Input>) => void;
}

export type JobHandlings = { readonly [K in JobKind]: JobHandling<K> };

/** A job with its input as `schema` reads it. Errors: `job.unreadable`. */
export function readJob<Input>(schema: z.ZodType<Input>, job: StoredJob): StoredJob<Input> {
  const parsed = schema.safeParse(job.input);
  if (parsed.success) return { ...job, input: parsed.data };
  throw problem('job.unreadable', { title: job.title, why: faultOf(parsed.error) });
}

/** Handling that gets its jobs' input as `schema` reads it. A job that cannot be read fails: `job.unreadable`. */
export function withInput<K extends JobKind, Input>(
  schema: z.ZodType<Input>,
  { models, expected, task, event, done, kept, changed, ...rest }: JobHandling<K, Input>,
): JobHandling<K> {
  const read = (job: StoredJob): StoredJob<Input> => readJob(schema, job);
  return {
    ...rest,
    task: (job) => task(read(job)),
    ...(models && { models: (job) => models(read(job)) }),
    ...(expected && { expected: (job) => expected(read(job)) }),
    ...(event && { event: (job, said) => event(read(job), said) }),
    ...(done && { done: (job, result) => done(read(job), result) }),
    // A job that cannot be read has failed with its own words: nothing of it is kept, and its kind has nothing to take up.
    ...(kept && { kept: (job) => (schema.safeParse(job.input).success ? kept(read(job)) : undefined) }),
    ...(changed && {
      changed: (job) => {
        if (schema.safeParse(job.input).success) changed(read(job));
      },
    }),
  };
}
