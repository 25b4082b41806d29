import type { Job } from '../../src-shared/domain/job.ts';

/** How much of a whole job is done, 0…1; nothing while nobody knows. */
export function share(job: Pick<Job, 'progress'> | undefined): number | undefined {
  return job?.progress?.share ?? undefined;
}
