import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { problem } from '../../src-shared/messages/index.ts';

/**
 * Makes this process the only one that works on a library, until `release` or its end, however it ends: the lock is the
 * operating system's, on a file that SQLite holds. Errors: `library.inUse`, `library.unwritable`.
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
