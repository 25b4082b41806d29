import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { problem } from '../../src-shared/messages/index.ts';

/**
 * Locks a library for this process until `release`, or until the process ends in any way: the operating system holds the lock, on
 * a file that SQLite keeps open. Errors: `library.inUse`, `library.unwritable`.
 */
export function lockLibrary(folder: string): { release: () => void } {
  let lock: Database | undefined;
  try {
    lock = new Sqlite(join(folder, '.lock'), { timeout: 0 });
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock?.close();
    if ((cause as { code?: string }).code?.startsWith('SQLITE_BUSY'))
      throw problem('library.inUse', { folder }, cause);
    throw problem('library.unwritable', { folder, why: (cause as Error).message }, cause);
  }
  const held = lock;
  return { release: () => held.close() };
}
