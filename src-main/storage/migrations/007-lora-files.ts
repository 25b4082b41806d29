import type { Migration } from './migration.ts';

/** LoRAs of other tools, and embeddings, that were imported. */
export const loraFiles: Migration = {
  number: 7,
  name: 'lora-files',
  up: (db) =>
    db.exec(`CREATE TABLE loras (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      kind TEXT NOT NULL,
      path TEXT NOT NULL,
      about TEXT NOT NULL,
      words TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      problems TEXT NOT NULL,
      added_at INTEGER NOT NULL,
      trash TEXT
    )`),
};
