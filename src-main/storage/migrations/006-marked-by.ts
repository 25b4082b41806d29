import type { Migration } from './migration.ts';

/** The version of preflight that marked a photo: an older one may have checked less. */
export const markedBy: Migration = {
  number: 6,
  name: 'marked-by',
  up: (db) => db.exec('ALTER TABLE photos ADD COLUMN marked_by INTEGER NOT NULL DEFAULT 0'),
};
