import { accessSync, constants, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { makeFolders } from '../makeFolders.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { migrations as allMigrations } from './migrations/index.ts';
import { takeNote } from './closedWell.ts';
import type { Migration } from './migrations/migration.ts';

/** An opened database. `damaged`: where the one that could not be used was moved; this one is new and empty. */
export interface OpenedDatabase {
  readonly db: Database;
  readonly damaged?: string;
  /** When it was last read through, ms since 1970. */
  readonly checkedAt: number;
}

const backupsKept = 5;

/**
 * Opens or creates the database at `file`, with WAL and foreign keys, and migrates it. Before a migration, a copy goes to
 * `backups/`. A damaged database is moved aside, to be rebuilt from the library's folder. Errors: `library.newer`,
 * `library.unwritable`.
 */
export function openDatabase(file: string, migrations: readonly Migration[] = allMigrations): OpenedDatabase {
  let damaged: string | undefined;
  let checkedAt = 0;
  let db: Database | undefined;
  try {
    makeFolders(dirname(file));
    // SQLite opens a read-only file that has a log beside it, and fails only at the first change.
    for (const place of [dirname(file), file]) if (existsSync(place)) accessSync(place, constants.W_OK);
    const before = takeNote(file);
    checkedAt = before ?? Date.now();
    if (before === undefined && existsSync(file) && !isSound(file)) damaged = moveAside(file);
    db = new Sqlite(file);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = NORMAL');
    db.pragma('foreign_keys = ON');
  } catch (cause) {
    db?.close();
    throw problem('library.unwritable', { folder: dirname(file), why: reason(cause) }, cause);
  }
  try {
    migrate(db, file, migrations);
  } catch (error) {
    db.close();
    throw error;
  }
  return { db, checkedAt, ...(damaged !== undefined && { damaged }) };
}

/** Migrates the database to the newest version. */
function migrate(db: Database, file: string, migrations: readonly Migration[]): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  const newest = migrations.at(-1)?.number ?? 0;
  if (version > newest) throw problem('library.newer', { file });
  if (version === newest) return;
  if (version > 0) backUp(db, file, version);
  for (const { number, up } of migrations.filter((migration) => migration.number > version))
    db.transaction(() => {
      up(db);
      db.pragma(`user_version = ${number}`);
    })();
}

function backUp(db: Database, file: string, version: number): void {
  const folder = join(dirname(file), 'backups');
  makeFolders(folder);
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const copy = join(folder, `${basename(file)}.v${version}.${stamp}`);
  rmSync(copy, { force: true });
  // A copy made by SQLite includes the write-ahead log.
  db.prepare('VACUUM INTO ?').run(copy);
  const old = readdirSync(folder).sort().slice(0, -backupsKept);
  for (const name of old) rmSync(join(folder, name), { force: true });
}

/** False for a file that is not a database, or whose pages or keys are damaged. */
function isSound(file: string): boolean {
  let db: Database | undefined;
  try {
    db = new Sqlite(file);
    return (
      db.pragma('integrity_check(1)', { simple: true }) === 'ok' &&
      (db.pragma('foreign_key_check') as unknown[]).length === 0
    );
  } catch (error) {
    // A locked or unreadable file is not a damaged one, and must not be moved aside.
    const code = (error as { code?: string }).code ?? '';
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return false;
    throw error;
  } finally {
    db?.close();
  }
}

function moveAside(file: string): string {
  const place = `${file}.damaged-${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}`;
  renameSync(file, place);
  for (const suffix of ['-wal', '-shm'])
    if (existsSync(file + suffix)) renameSync(file + suffix, place + suffix);
  return place;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
