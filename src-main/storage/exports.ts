import type { Database } from 'better-sqlite3';
import type { Exported } from '../../src-shared/domain/exported.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { insert, only } from './rows.ts';

/** What an export's job knows of it. */
type NewExport = Pick<Exported, 'step' | 'format' | 'path' | 'bytes' | 'tensors' | 'maxError'> & {
  readonly runId: number;
};

export class Exports {
  constructor(private readonly db: Database) {}

  /** Newest first. */
  list(runId?: number): Exported[] {
    return runId === undefined
      ? this.select('ORDER BY e.id DESC')
      : this.select('AND run_id = ? ORDER BY e.id DESC', runId);
  }

  get(id: number): Exported {
    return only(this.select('AND e.id = ?', id), 'export');
  }

  /** The names of its subject, run and model are kept for when these are gone. */
  add(made: NewExport): Exported {
    const names = this.db
      .prepare(
        `SELECT s.name subjectName, r.name runName, r.model_name modelName
         FROM runs r JOIN subjects s ON s.id = r.subject_id WHERE r.id = ?`,
      )
      .get(made.runId) as Record<'subjectName' | 'runName' | 'modelName', string> | undefined;
    if (!names) throw problem('library.gone', { what: 'run' });
    return this.get(insert(this.db, 'exports', { ...made, ...names, createdAt: Date.now() }));
  }

  private select(rest: string, ...values: number[]): Exported[] {
    return this.db
      .prepare(
        `SELECT e.id, run_id runId, e.step, format, path, bytes, e.created_at createdAt, tensors, max_error maxError,
           COALESCE(s.name, subject_name) subjectName, COALESCE(r.name, run_name) runName, e.model_name modelName
         FROM exports e LEFT JOIN runs r ON r.id = run_id LEFT JOIN subjects s ON s.id = r.subject_id
         WHERE e.trash IS NULL ${rest}`,
      )
      .all(...values) as Exported[];
  }
}
