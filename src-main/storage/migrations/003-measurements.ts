import type { Migration } from './migration.ts';

/** What dry runs of finetunes found, by machine, model and settings; `figures` null: it did not fit. */
export const measurements: Migration = {
  number: 3,
  name: 'measurements',
  up: (db) =>
    db.exec(`
      CREATE TABLE measurements (
        key TEXT PRIMARY KEY, figures TEXT, measured_at INTEGER NOT NULL
      ) STRICT;
    `),
};
