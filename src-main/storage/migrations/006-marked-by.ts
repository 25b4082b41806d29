import type { Migration } from './migration.ts';

/** Which preflight a photo's marks are of: an older one may have looked at less. */
export const markedBy: Migration = {
  number: 6,
  name: 'marked-by',
  up: (db) => db.exec('ALTER TABLE photos ADD COLUMN marked_by INTEGER NOT NULL DEFAULT 0'),
};
