import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const schema = z.object({ bytes: z.number(), changedAt: z.number(), checkedAt: z.number() });
/** Disks lose bits, so the whole database is read through this often, however it was closed. */
const trusted = 7 * 24 * 3_600_000;

const noteBeside = (file: string): string => `${file}-closed`;

/**
 * Takes the note that the database at `file` was closed properly and not touched since. Returns when it was last read through, so
 * that it need not be read through now, which takes most of a second with 100,000 pictures. The note is removed, so a crash leaves
 * none.
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
    // With a write-ahead log left, it was not closed properly.
    if (existsSync(`${file}-wal`)) return;
    const { size, mtimeMs } = statSync(file);
    writeFileSync(noteBeside(file), JSON.stringify({ bytes: size, changedAt: mtimeMs, checkedAt }));
  } catch {
    // Without the note, it is read through at the next start.
  }
}
