import type { Database } from 'better-sqlite3';

/** A step from one shape of the database to the next; `up` runs in a transaction of its own. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly up: (db: Database) => void;
}
