import type { Database } from 'better-sqlite3';
import { fromJson } from '../../src-shared/domain/fromJson.ts';
import { jobSchema, type Job, type JobKind } from '../../src-shared/domain/job.ts';
import { faultOf } from '../../src-shared/domain/settingValues.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { insert, only, update } from './rows.ts';

/** A job and its input, whose form depends on its kind. */
export interface StoredJob<Input = unknown> extends Job {
  readonly input: Input;
}

interface Row extends Omit<Job, 'progress' | 'error' | 'warnings' | 'stopping'> {
  input: string;
  progress: string | null;
  error: string | null;
  warnings: string;
}

const cellsSchema = jobSchema.pick({ progress: true, error: true, warnings: true });

export interface NewJob {
  readonly kind: JobKind;
  readonly title: string;
  readonly input: unknown;
  readonly subjectId?: number | null;
  readonly runId?: number | null;
}

export type JobChanges = Partial<
  Pick<Job, 'state' | 'position' | 'progress' | 'startedAt' | 'finishedAt' | 'error' | 'warnings'>
> & { input?: unknown };

export class Jobs {
  /** What `keep` could not write, by job. */
  private readonly unwritten = new Map<number, JobChanges>();

  constructor(private readonly db: Database) {}

  /** Running, queued and paused in their order, then ended ones, newest first. */
  list(): StoredJob[] {
    return this.select(
      `ORDER BY CASE state WHEN 'running' THEN 0 WHEN 'queued' THEN 1 WHEN 'paused' THEN 1 ELSE 2 END,
         CASE WHEN state IN ('running', 'queued', 'paused') THEN position ELSE -finished_at END`,
    );
  }

  get(id: number): StoredJob {
    return only(this.select('WHERE id = ?', id), 'job');
  }

  find(id: number): StoredJob | undefined {
    return this.select('WHERE id = ?', id)[0];
  }

  inState(state: Job['state']): StoredJob[] {
    const held = JSON.stringify([...this.unwritten.keys()]);
    return this.select(
      'WHERE state = ? OR id IN (SELECT value FROM json_each(?)) ORDER BY position',
      state,
      held,
    ).filter((job) => job.state === state);
  }

  add({ kind, title, input, subjectId = null, runId = null }: NewJob): StoredJob {
    const last = this.db.prepare('SELECT coalesce(max(position), 0) FROM jobs').pluck().get() as number;
    const id = insert(this.db, 'jobs', {
      kind,
      title,
      state: 'queued',
      position: last + 1,
      input: JSON.stringify(input),
      createdAt: Date.now(),
      subjectId,
      runId,
    });
    return this.get(id);
  }

  change(id: number, changes: JobChanges): StoredJob {
    const { input, ...rest } = { ...this.unwritten.get(id), ...changes };
    update(this.db, 'jobs', id, {
      ...rest,
      input: input === undefined ? undefined : JSON.stringify(input),
    });
    this.unwritten.delete(id);
    return this.get(id);
  }

  /** Like `change`, but what a full disk refuses is held here, and shown with the job, until a later change is written. */
  keep(id: number, changes: JobChanges): { job: StoredJob; isWritten: boolean } {
    try {
      return { job: this.change(id, changes), isWritten: true };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.unwritten.set(id, { ...this.unwritten.get(id), ...changes });
      return { job: this.get(id), isWritten: false };
    }
  }

  /** Forgets the finished ones; returns their ids. */
  clearEnded(): number[] {
    const ended = "state IN ('done', 'failed', 'cancelled')";
    const ids = this.db.prepare(`SELECT id FROM jobs WHERE ${ended}`).pluck().all() as number[];
    this.db.prepare(`DELETE FROM jobs WHERE ${ended}`).run();
    return ids;
  }

  private select(rest: string, ...values: (number | string)[]): StoredJob[] {
    const rows = this.db
      .prepare(
        `SELECT id, kind, title, state, position, input, progress, created_at createdAt, started_at startedAt,
           finished_at finishedAt, error, warnings, subject_id subjectId, run_id runId
         FROM jobs ${rest}`,
      )
      .all(...values) as Row[];
    return rows.map((row) => ({ ...toJob(row), ...this.unwritten.get(row.id) }));
  }
}

/** A job whose row cannot be read says what is wrong with it, and can't be started. */
function toJob({ input, progress, error, warnings, ...row }: Row): StoredJob {
  const cells = {
    progress: progress === null ? null : fromJson(progress),
    error: error === null ? null : fromJson(error),
    warnings: fromJson(warnings),
  };
  const read = cellsSchema.safeParse(cells);
  if (read.success) return { ...row, ...read.data, input: fromJson(input), stopping: null };
  const { code, message } = problem('job.unreadable', { title: row.title, why: faultOf(read.error) });
  const nothing = { input: undefined, progress: null, warnings: [], stopping: null };
  return { ...row, ...nothing, error: { code, message } };
}

/** An error of SQLite: no room, or no right to write. */
function isRefusal(error: unknown): boolean {
  return (error as { code?: string }).code?.startsWith('SQLITE_') ?? false;
}

/** A job as windows see it. */
export function publicJob({ input: _, ...job }: StoredJob): Job {
  return job;
}
