import type { Migration } from './migration.ts';

/** Runs from before masks weighted the loss: their background counted fully. */
export const backgroundWeight: Migration = {
  number: 5,
  name: 'background-weight',
  up: (db) => db.exec(`UPDATE runs SET settings = json_insert(settings, '$.backgroundWeight', 1)`),
};
