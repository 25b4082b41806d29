import type { Job } from '../../src-shared/domain/job.ts';

/** Share of a whole job that is done, 0…1; undefined while unknown. */
export function share(job: Pick<Job, 'progress'> | undefined): number | undefined {
  return job?.progress?.share ?? undefined;
}
