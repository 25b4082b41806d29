import { randomUUID } from 'node:crypto';
import type { Database } from 'better-sqlite3';

/** What can be removed and brought back. */
export type Removable =
  'projects' | 'subjects' | 'photos' | 'runs' | 'images' | 'models' | 'loras' | 'exports' | 'evaluations';
const removable: readonly Removable[] = [
  'images',
  'exports',
  'photos',
  'runs',
  'subjects',
  'projects',
  'models',
  'loras',
  'evaluations',
];

/** A removed row and its file or folder, seen from the library; null for one whose files are not the library's. */
export interface Removed {
  readonly table: Removable;
  readonly id: number;
  readonly path: string | null;
}

/** Everything that one removal took away, described by its largest part. */
export interface RemovedTogether {
  /** Brings it back. */
  readonly undo: string;
  readonly table: Removable;
  /** Of one of them. */
  readonly name: string;
  readonly count: number;
  /** ms since 1970; null where it was not written down. */
  readonly removedAt: number | null;
}

/** The largest first: a removed project takes its subjects along. */
const largestFirst: readonly Removable[] = [
  'projects',
  'subjects',
  'runs',
  'models',
  'loras',
  'exports',
  'evaluations',
  'photos',
  'images',
];

/**
 * Removed rows and their files stay, hidden under the token of their removal, until the trash is emptied. So an undo is always
 * complete, and a crash in between loses nothing.
 */
export class Trash {
  constructor(private readonly db: Database) {}

  /** Hides rows; returns the token that brings them back, which begins with the time. */
  remove(table: Removable, ids: readonly number[], token: string = `${Date.now()}.${randomUUID()}`): string {
    this.db
      .prepare(`UPDATE ${table} SET trash = ? WHERE trash IS NULL AND id IN (SELECT value FROM json_each(?))`)
      .run(token, JSON.stringify(ids));
    return token;
  }

  /** Restores what was removed under `token`. Returns the number of rows by table. */
  restore(token: string): Map<Removable, number> {
    const restored = new Map<Removable, number>();
    this.db.transaction(() => {
      for (const table of removable) {
        const { changes } = this.db.prepare(`UPDATE ${table} SET trash = NULL WHERE trash = ?`).run(token);
        if (changes > 0) restored.set(table, changes);
      }
    })();
    return restored;
  }

  list(): Removed[] {
    const paths: Readonly<Record<Removable, string>> = {
      images: 'file',
      exports: 'path',
      evaluations: 'path',
      photos: "(SELECT folder FROM subjects s WHERE s.id = subject_id) || '/photos/' || name",
      runs: 'folder',
      subjects: 'folder',
      projects: 'NULL',
      loras: 'NULL',
      models: "CASE WHEN source IN ('downloaded', 'made') THEN path END",
    };
    return removable.flatMap((table) =>
      (
        this.db
          .prepare(`SELECT id, ${paths[table]} path FROM ${table} WHERE trash IS NOT NULL`)
          .all() as Omit<Removed, 'table'>[]
      ).map((row) => ({ ...row, table })),
    );
  }

  /** What can be restored, with one entry for each removal. */
  removals(): RemovedTogether[] {
    const found = new Map<string, RemovedTogether>();
    for (const table of largestFirst) {
      const name = table === 'images' ? 'prompt' : table === 'exports' ? 'path' : 'name';
      const rows = this.db
        .prepare(
          `SELECT trash undo, MIN(${name}) name, COUNT(*) count FROM ${table} WHERE trash IS NOT NULL GROUP BY trash`,
        )
        .all() as Omit<RemovedTogether, 'table' | 'removedAt'>[];
      for (const row of rows)
        if (!found.has(row.undo)) found.set(row.undo, { ...row, table, removedAt: timeOf(row.undo) });
    }
    return [...found.values()].sort((a, b) => (b.removedAt ?? 0) - (a.removedAt ?? 0));
  }

  /** Deletes a removed row for good; its file has been dealt with. */
  forget({ table, id }: Removed): void {
    this.db.prepare(`DELETE FROM ${table} WHERE id = ? AND trash IS NOT NULL`).run(id);
  }
}

function timeOf(token: string): number | null {
  const [, ms] = /^(\d{13})\./.exec(token) ?? [];
  return ms === undefined ? null : Number(ms);
}
