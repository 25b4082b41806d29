import type { Migration } from './migration.ts';

/**
 * The gallery's queries are answered from an index alone, in order: a third of the time with 100,000 pictures. `trash` and
 * `missing` are at the end of partial indexes because SQLite checks their condition again for each row.
 */
export const galleryOrder: Migration = {
  number: 4,
  name: 'gallery-order',
  up: (db) =>
    db.exec(`
      DROP INDEX images_by_time;
      DROP INDEX images_by_score;
      DROP INDEX images_of_subject;
      DROP INDEX images_of_run;
      CREATE INDEX images_by_time ON images (created_at, id, trash, missing) WHERE trash IS NULL AND missing = 0;
      CREATE INDEX images_by_score ON images (coalesce(score, -1), id, trash, missing)
        WHERE trash IS NULL AND missing = 0;
      CREATE INDEX images_by_favourite ON images (favourite, created_at, id, trash, missing)
        WHERE trash IS NULL AND missing = 0;
      CREATE INDEX images_of_subject ON images (subject_id, trash, missing, created_at, id);
      CREATE INDEX images_of_run ON images (run_id, trash, missing, created_at, id);
    `),
};
