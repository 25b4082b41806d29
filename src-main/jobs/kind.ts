import type { JobKind } from '../../src-shared/domain/job.ts';
import type { WorkerEvent } from '../../src-shared/domain/workerMessages.ts';
import type { ResultOf, TaskOf } from '../features/tasks.ts';
import type { StoredJob } from '../storage/jobs.ts';
import type { StoredModel } from '../storage/models.ts';

/** What the queue must know of one kind of job. */
export interface JobHandling<K extends JobKind> {
  /** What the worker is told, made anew at each start: a job that was interrupted goes on where it was. */
  readonly task: (job: StoredJob) => TaskOf<K>;
  /** The models it uses: a worker refuses those that are not as they were when they were added. */
  readonly models?: (job: StoredJob) => readonly StoredModel[];
  /** What one of each phase of the plan takes here, in seconds, where that was measured. */
  readonly expected?: (job: StoredJob) => Readonly<Record<string, number>> | undefined;
  /** The worker may open sockets to other machines. */
  readonly online?: boolean;
  /** The worker stays for a while when it is done, with what it has opened, for the next job of its kind. */
  readonly stays?: boolean;
  readonly event?: (job: StoredJob, event: WorkerEvent) => void | Promise<void>;
  readonly done?: (job: StoredJob, result: ResultOf<K>) => void | Promise<void>;
  /** What of it is finished and stays when its worker crashes, in words ("3 of 8 pictures are finished"); nothing: it begins anew. */
  readonly kept?: (job: StoredJob) => string | undefined;
  /** The job's state has changed. */
  readonly changed?: (job: StoredJob) => void;
}

export type JobHandlings = { readonly [K in JobKind]: JobHandling<K> };
