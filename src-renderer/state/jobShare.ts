import type { Job } from '../../src-shared/domain/job.ts';

/** How much of a job's phase is done, 0…1; nothing where nobody knows, and between two phases. */
export function share(job: Pick<Job, 'progress'> | undefined): number | undefined {
  const { done = 0, total = 0 } = job?.progress ?? {};
  return total > 0 && done < total ? done / total : undefined;
}
