import type { Migration } from './migration.ts';

/** The first tables. `trash`: the token of the removal that hides a row, until it is undone or the trash is emptied. */
export const library: Migration = {
  number: 1,
  name: 'library',
  up: (db) =>
    db.exec(`
      CREATE TABLE projects (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, created_at INTEGER NOT NULL, trash TEXT
      ) STRICT;
      CREATE TABLE subjects (
        id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES projects ON DELETE CASCADE,
        name TEXT NOT NULL, class_noun TEXT NOT NULL, token TEXT NOT NULL, folder TEXT NOT NULL UNIQUE,
        watched TEXT, sample INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, trash TEXT
      ) STRICT;
      CREATE INDEX subjects_of_project ON subjects (project_id);
      CREATE TABLE photos (
        id INTEGER PRIMARY KEY, subject_id INTEGER NOT NULL REFERENCES subjects ON DELETE CASCADE,
        name TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, bytes INTEGER NOT NULL,
        hash TEXT NOT NULL, added_at INTEGER NOT NULL, crop TEXT, mask TEXT,
        marks TEXT NOT NULL DEFAULT '[]', missing INTEGER NOT NULL DEFAULT 0, trash TEXT
      ) STRICT;
      CREATE INDEX photos_of_subject ON photos (subject_id);
      CREATE INDEX photos_by_hash ON photos (hash);
      CREATE TABLE models (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, source TEXT NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL,
        family TEXT NOT NULL, hash TEXT NOT NULL, parameters INTEGER NOT NULL, bytes INTEGER NOT NULL,
        width INTEGER NOT NULL, height INTEGER NOT NULL, added_at INTEGER NOT NULL,
        problems TEXT NOT NULL DEFAULT '[]', trash TEXT
      ) STRICT;
      CREATE TABLE runs (
        id INTEGER PRIMARY KEY, subject_id INTEGER NOT NULL REFERENCES subjects ON DELETE CASCADE,
        name TEXT NOT NULL, folder TEXT NOT NULL UNIQUE, state TEXT NOT NULL,
        model_id INTEGER REFERENCES models ON DELETE SET NULL, model_name TEXT NOT NULL, settings TEXT NOT NULL,
        step INTEGER NOT NULL DEFAULT 0, loss REAL, seconds_per_step REAL, created_at INTEGER NOT NULL,
        finished_at INTEGER, error TEXT, picked_step INTEGER, trash TEXT
      ) STRICT;
      CREATE INDEX runs_of_subject ON runs (subject_id);
      CREATE TABLE checkpoints (
        id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL,
        created_at INTEGER NOT NULL, sample INTEGER NOT NULL DEFAULT 0, score TEXT, UNIQUE (run_id, step)
      ) STRICT;
      CREATE TABLE scores (
        run_id INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, report TEXT NOT NULL
      ) STRICT;
      CREATE TABLE exports (
        id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL,
        format TEXT NOT NULL, path TEXT NOT NULL, bytes INTEGER NOT NULL, created_at INTEGER NOT NULL,
        tensors INTEGER NOT NULL, max_error REAL NOT NULL, trash TEXT
      ) STRICT;
      CREATE TABLE jobs (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, state TEXT NOT NULL, position REAL NOT NULL,
        input TEXT NOT NULL, progress TEXT, created_at INTEGER NOT NULL, started_at INTEGER, finished_at INTEGER,
        error TEXT, warnings TEXT NOT NULL DEFAULT '[]', subject_id INTEGER, run_id INTEGER
      ) STRICT;
      CREATE TABLE images (
        id INTEGER PRIMARY KEY, file TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, bytes INTEGER NOT NULL,
        width INTEGER NOT NULL, height INTEGER NOT NULL, created_at INTEGER NOT NULL, prompt TEXT NOT NULL,
        negative TEXT NOT NULL, seed INTEGER NOT NULL, recipe TEXT,
        subject_id INTEGER REFERENCES subjects ON DELETE SET NULL, run_id INTEGER REFERENCES runs ON DELETE SET NULL,
        step INTEGER, job_id INTEGER, favourite INTEGER NOT NULL DEFAULT 0, score REAL,
        missing INTEGER NOT NULL DEFAULT 0, trash TEXT
      ) STRICT;
      CREATE INDEX images_by_time ON images (created_at, id) WHERE trash IS NULL AND missing = 0;
      CREATE INDEX images_by_score ON images (score, id) WHERE trash IS NULL AND missing = 0;
      CREATE INDEX images_of_subject ON images (subject_id, created_at, id);
      CREATE INDEX images_of_run ON images (run_id, created_at, id);
      CREATE INDEX images_of_job ON images (job_id);
      CREATE INDEX images_by_hash ON images (hash);
      CREATE TABLE prompts (
        prompt TEXT NOT NULL, negative TEXT NOT NULL, used_at INTEGER NOT NULL, PRIMARY KEY (prompt, negative)
      ) STRICT;
      CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    `),
};
