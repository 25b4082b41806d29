import type { Migration } from './migration.ts';

/** An export outlives its run: before, its row went with the run's, and its file stayed where nobody saw it. */
export const keptExports: Migration = {
  number: 8,
  name: 'kept-exports',
  up: (db) =>
    db.exec(`
      CREATE TABLE kept_exports (
        id INTEGER PRIMARY KEY, run_id INTEGER REFERENCES runs ON DELETE SET NULL, step INTEGER NOT NULL,
        format TEXT NOT NULL, path TEXT NOT NULL, bytes INTEGER NOT NULL, created_at INTEGER NOT NULL,
        tensors INTEGER NOT NULL, max_error REAL NOT NULL, trash TEXT,
        subject_name TEXT NOT NULL, run_name TEXT NOT NULL, model_name TEXT NOT NULL
      ) STRICT;
      INSERT INTO kept_exports
        SELECT e.id, e.run_id, e.step, e.format, e.path, e.bytes, e.created_at, e.tensors, e.max_error, e.trash,
          s.name, r.name, r.model_name
        FROM exports e JOIN runs r ON r.id = e.run_id JOIN subjects s ON s.id = r.subject_id;
      DROP TABLE exports;
      ALTER TABLE kept_exports RENAME TO exports;
    `),
};
