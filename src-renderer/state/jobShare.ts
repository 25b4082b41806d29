import type { Job } from '../../src-shared/domain/job.ts';

/** How much of a job is done, 0…1; nothing where nobody knows. */
export function share(job: Pick<Job, 'progress'> | undefined): number | undefined {
  const { done = 0, total = 0 } = job?.progress ?? {};
  return total > 0 ? Math.min(1, done / total) : undefined;
}
