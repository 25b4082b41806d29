import type { Job } from '../../src-shared/domain/job.ts';
import { generation } from './generation.svelte.ts';
import { router, type ScreenName } from './router.svelte.ts';

/** Where the result of a job is shown. */
function placeOf({ kind, runId }: Job): readonly [ScreenName, ...(number | string)[]] {
  switch (kind) {
    case 'train':
      return runId === null ? ['train'] : ['train', runId];
    case 'measure':
      return ['train'];
    case 'generate':
      return ['generate'];
    case 'score':
    case 'influence':
      return runId === null ? ['scores'] : ['scores', runId];
    case 'evaluate':
      return ['scores', 'pictures'];
    case 'export':
      return runId === null ? ['models'] : ['train', runId, 'export'];
    case 'import':
    case 'download':
      return ['models'];
    case 'advise':
    case 'compress':
    case 'distill':
      return ['models', 'smaller'];
  }
}

/** Whether it is on the screen already. */
export function isOpen(job: Job): boolean {
  const [screen, ...words] = placeOf(job);
  if (router.screen !== screen || (words[0] !== undefined && router.words[0] !== String(words[0])))
    return false;
  return job.kind !== 'generate' || generation.sheet?.jobId === job.id;
}

export function openJob(job: Job): void {
  if (job.kind === 'generate') void generation.open(job.id);
  router.go(...placeOf(job));
}
