import type { Migration } from './migration.ts';

/** Figures of pictures from anywhere, and of models by DreamBooth's protocol. `path`: where its runs and pictures are. */
export const evaluations: Migration = {
  number: 9,
  name: 'evaluations',
  up: (db) =>
    db.exec(`CREATE TABLE evaluations (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      path TEXT,
      notes TEXT NOT NULL,
      figures TEXT NOT NULL,
      measured_at INTEGER NOT NULL,
      trash TEXT
    )`),
};
