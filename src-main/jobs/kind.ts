import type { WorkerEvent } from '../../src-shared/domain/workerMessages.ts';
import type { StoredJob } from '../storage/jobs.ts';

/** What the queue must know of one kind of job; the features say it. */
export interface JobHandling {
  /** What the worker is told, made anew at each start: a job that was interrupted goes on where it was. */
  readonly task: (job: StoredJob) => unknown;
  /** The worker may open sockets to other machines. */
  readonly online?: boolean;
  readonly event?: (job: StoredJob, event: WorkerEvent) => void | Promise<void>;
  readonly done?: (job: StoredJob, result: unknown) => void | Promise<void>;
  /** The job's state has changed. */
  readonly changed?: (job: StoredJob) => void;
}
