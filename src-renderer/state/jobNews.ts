import { texts } from '../texts/index.ts';
import { jobs } from './jobs.svelte.ts';
import { isOpen, openJob } from './openJob.ts';
import { toasts } from './toasts.svelte.ts';

/** Tells of each job that ends, and opens what it made; where that is on the screen already, there is nothing to open. */
export function tellOfJobs(): void {
  jobs.onEnd((job) => {
    if (job.state === 'failed')
      toasts.show(texts.jobs.failed(job.title, job.error?.message ?? ''), { kind: 'bad' });
    else
      toasts.show(
        texts.jobs.done(job.kind, job.title),
        isOpen(job) ? {} : { action: { label: texts.jobs.show, run: () => openJob(job) } },
      );
  });
}
