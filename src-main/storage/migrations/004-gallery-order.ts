import type { Migration } from './migration.ts';

/**
 * What the gallery asks for is answered from an index alone, in order: with 100,000 pictures a third of the time. Partial indexes
 * do not do it: SQLite looks into the table for the columns of their condition.
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
      CREATE INDEX images_by_time ON images (trash, missing, created_at, id);
      CREATE INDEX images_by_score ON images (trash, missing, coalesce(score, -1), id);
      CREATE INDEX images_by_favourite ON images (favourite, trash, missing, created_at, id);
      CREATE INDEX images_of_subject ON images (subject_id, trash, missing, created_at, id);
      CREATE INDEX images_of_run ON images (run_id, trash, missing, created_at, id);
    `),
};
