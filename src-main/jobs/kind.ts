import type * as z from 'zod';
import type { JobKind } from '../../src-shared/domain/job.ts';
import { faultOf } from '../../src-shared/domain/settingValues.ts';
import type { WorkerEvent } from '../../src-shared/domain/workerMessages.ts';
import { problem } from '../../src-shared/messages/index.ts';
import type { ResultOf, TaskOf } from '../features/tasks.ts';
import type { StoredJob } from '../storage/jobs.ts';
import type { StoredModel } from '../storage/models.ts';

/** What the queue needs to know about one kind of job. */
export interface JobHandling<K extends JobKind, Input = unknown> {
  /** The worker's task, made at each start, so that an interrupted job continues where it was. */
  readonly task: (job: StoredJob<Input>) => TaskOf<K>;
  /** The models it uses: a worker refuses models that have changed since they were added. */
  readonly models?: (job: StoredJob<Input>) => readonly StoredModel[];
  /** Measured seconds of one unit of each phase of the plan, where known. */
  readonly expected?: (job: StoredJob<Input>) => Readonly<Record<string, number>> | undefined;
  /** The worker may open sockets to other machines. */
  readonly online?: boolean;
  /** The worker stays for a while when it is done, with what it has opened, for the next job of this kind. */
  readonly stays?: boolean;
  readonly event?: (job: StoredJob<Input>, event: WorkerEvent) => void | Promise<void>;
  readonly done?: (job: StoredJob<Input>, result: ResultOf<K>) => void | Promise<void>;
  /** What survives a crash of the worker, in words ("3 of 8 pictures are finished"); undefined if the job starts over. */
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
    // A job that can't be read fails with its own message: nothing of it is kept, and its kind is not called.
    ...(kept && { kept: (job) => (schema.safeParse(job.input).success ? kept(read(job)) : undefined) }),
    ...(changed && {
      changed: (job) => {
        if (schema.safeParse(job.input).success) changed(read(job));
      },
    }),
  };
}
