import { texts } from '../texts/index.ts';
import { jobs } from './jobs.svelte.ts';
import { isOpen, openJob } from './openJob.ts';
import { toasts } from './toasts.svelte.ts';

/** Announces each finished job with a button that opens the result; where the result is on screen already, only in speech. */
export function tellOfJobs(): void {
  jobs.onEnd((job) => {
    if (job.state === 'failed')
      toasts.show(texts.jobs.failed(job.title, job.error?.message ?? ''), { kind: 'bad' });
    else if (isOpen(job)) toasts.speak(texts.jobs.done(job.kind, job.title));
    else
      toasts.show(texts.jobs.done(job.kind, job.title), {
        action: { label: texts.jobs.show, run: () => openJob(job) },
      });
  });
}
