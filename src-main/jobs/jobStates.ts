import type { JobState } from '../../src-shared/domain/job.ts';
import type { Problem } from '../../src-shared/messages/problem.ts';
import type { Jobs, StoredJob } from '../storage/jobs.ts';

/** Milliseconds between two tries to write what the disk had no room for. */
const settleEvery = 2_000;

/** Changes the states of jobs: writes each to the library, and tells the windows and the job's kind. What a full disk refuses is written later. */
export class JobStates {
  /** Jobs whose state is not written yet, or not taken up by their kind. */
  private readonly behind = new Set<number>();
  private settling: NodeJS.Timeout | undefined;

  /** `tell`: the windows; `takeUp`: the job's kind, which may fail on a full disk too. */
  constructor(
    private readonly jobs: Jobs,
    private readonly tell: (job: StoredJob) => void,
    private readonly takeUp: (job: StoredJob) => void,
  ) {}

  set(id: number, state: JobState, error?: Problem | null): void {
    const ended = state === 'done' || state === 'failed' || state === 'cancelled';
    const { job, isWritten } = this.jobs.keep(id, {
      state,
      ...(state === 'running' && { startedAt: Date.now(), error: null }),
      finishedAt: ended ? Date.now() : null,
      ...(error !== undefined && { error }),
    });
    if (!isWritten || !this.isTakenUp(job)) {
      this.behind.add(id);
      this.settling ??= setInterval(() => this.settle(), settleEvery).unref();
    }
    this.tell(job);
  }

  /** Tries for the last time to write what is not written yet. */
  close(): void {
    clearInterval(this.settling);
    this.settle();
  }

  private settle(): void {
    for (const id of this.behind) {
      const kept = this.jobs.find(id) && this.jobs.keep(id, {});
      if (!kept || (kept.isWritten && this.isTakenUp(kept.job))) this.behind.delete(id);
    }
    if (this.behind.size > 0) return;
    clearInterval(this.settling);
    this.settling = undefined;
  }

  private isTakenUp(job: StoredJob): boolean {
    try {
      this.takeUp(job);
      return true;
    } catch {
      return false;
    }
  }
}
