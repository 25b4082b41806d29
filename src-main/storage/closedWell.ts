import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const schema = z.object({ bytes: z.number(), changedAt: z.number(), checkedAt: z.number() });
/** Disks forget: so often the whole database is read through, however it was closed. */
const trusted = 7 * 24 * 3_600_000;

const noteBeside = (file: string): string => `${file}-closed`;

/**
 * When the database at `file` was last read through, where it has been closed properly since and nobody touched it after: then it need
 * not be read through now, which takes most of a second with 100,000 pictures. The note is gone after this: who crashes leaves none.
 */
export function takeNote(file: string): number | undefined {
  const note = noteBeside(file);
  try {
    const { bytes, changedAt, checkedAt } = schema.parse(JSON.parse(readFileSync(note, 'utf8')));
    const { size, mtimeMs } = statSync(file);
    const isUntouched = size === bytes && mtimeMs === changedAt && !existsSync(`${file}-wal`);
    return isUntouched && Date.now() - checkedAt < trusted ? checkedAt : undefined;
  } catch {
    return undefined;
  } finally {
    rmSync(note, { force: true });
  }
}

/** Notes that the database was closed properly. `checkedAt`: when it was last read through. */
export function leaveNote(file: string, checkedAt: number): void {
  try {
    // What is still in a log has not been closed.
    if (existsSync(`${file}-wal`)) return;
    const { size, mtimeMs } = statSync(file);
    writeFileSync(noteBeside(file), JSON.stringify({ bytes: size, changedAt: mtimeMs, checkedAt }));
  } catch {
    // Then it is read through at the next start.
  }
}
