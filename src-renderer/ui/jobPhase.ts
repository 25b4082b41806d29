import type { Job } from '../../src-shared/domain/job.ts';
import { texts } from '../texts/index.ts';
import { formatBytes, formatDuration } from './format.ts';

/** What a job does now, in words: "Drawing class pictures: 12 of 50". */
export function phaseOf({ progress }: Pick<Job, 'progress'>): string {
  if (!progress) return texts.train.starting;
  const { label, done, total } = progress;
  if (label === 'bytes') return texts.jobs.bytes(formatBytes(done), formatBytes(total));
  // The one that is being made counts: nobody waits for picture 0.
  const at = Math.min(total, Math.floor(done) + 1);
  return texts.jobs.phase(texts.jobs.phases[label] ?? label, at, total);
}

/** What a queued job waits for, in words, with the time left of it where that is known. */
export function waitingFor(other: Pick<Job, 'title' | 'progress'> | undefined): string {
  if (!other) return texts.train.waiting;
  const left = other.progress?.eta ?? null;
  return left === null
    ? texts.jobs.waitsFor(other.title)
    : texts.jobs.waitsUntil(other.title, formatDuration(left));
}
