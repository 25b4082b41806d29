import type { Database } from 'better-sqlite3';
import { library } from './001-library.ts';
import { promptSearch } from './002-prompt-search.ts';
import { measurements } from './003-measurements.ts';

/** A step from one shape of the database to the next; `up` runs in a transaction of its own. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly up: (db: Database) => void;
}

/** In order; one that was released is never changed. */
export const migrations: readonly Migration[] = [library, promptSearch, measurements];
