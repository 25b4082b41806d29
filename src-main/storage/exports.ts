import type { Database } from 'better-sqlite3';
import type { Exported } from '../../src-shared/domain/exported.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { insert } from './rows.ts';

export class Exports {
  constructor(private readonly db: Database) {}

  /** Newest first. */
  list(runId?: number): Exported[] {
    return runId === undefined
      ? this.select('ORDER BY id DESC')
      : this.select('AND run_id = ? ORDER BY id DESC', runId);
  }

  get(id: number): Exported {
    const [found] = this.select('AND id = ?', id);
    if (!found) throw problem('library.gone', { what: 'export' });
    return found;
  }

  add({ runId, maxError, ...rest }: Omit<Exported, 'id' | 'createdAt'>): Exported {
    const id = insert(this.db, 'exports', {
      ...rest,
      run_id: runId,
      max_error: maxError,
      created_at: Date.now(),
    });
    return this.get(id);
  }

  private select(rest: string, ...values: number[]): Exported[] {
    return this.db
      .prepare(
        `SELECT id, run_id runId, step, format, path, bytes, created_at createdAt, tensors, max_error maxError
         FROM exports WHERE trash IS NULL ${rest}`,
      )
      .all(...values) as Exported[];
  }
}
