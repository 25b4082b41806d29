import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { readKept } from '../readKept.ts';
import { orNothing } from '../../src-shared/orNothing.ts';

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
  const left = readKept(note, schema);
  rmSync(note, { force: true });
  const found = statSync(file, { throwIfNoEntry: false });
  if (!left || !found || existsSync(`${file}-wal`)) return undefined;
  const isUntouched = found.size === left.bytes && found.mtimeMs === left.changedAt;
  return isUntouched && Date.now() - left.checkedAt < trusted ? left.checkedAt : undefined;
}

/** Notes that the database was closed properly. `checkedAt`: when it was last read through. */
export function leaveNote(file: string, checkedAt: number): void {
  // With a write-ahead log left, it was not closed properly.
  if (existsSync(`${file}-wal`)) return;
  // Without the note, it is read through at the next start.
  orNothing(() => {
    const { size, mtimeMs } = statSync(file);
    writeFileSync(noteBeside(file), JSON.stringify({ bytes: size, changedAt: mtimeMs, checkedAt }));
  });
}
