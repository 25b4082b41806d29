import { texts } from '../texts/index.ts';
import { jobs } from './jobs.svelte.ts';
import { isOpen, openJob } from './openJob.ts';
import { toasts } from './toasts.svelte.ts';

/** Announces each finished job with a button that opens the result, unless the result is already on screen. */
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
