import { readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import { makeFolder, orUnwritable, statOrNothing } from '../../engine/checkpoints/files.ts';
import { removeLeftovers, temporaryPlace } from '../../engine/checkpoints/leftovers.ts';

/**
 * Lets `make` work beside `out` and renames the result when it is complete, so that `out` is never half-made. What `make` puts beside
 * its result comes beside `out`, before it. Leftovers of killed processes there are removed. Errors: `export.exists`,
 * `file.unwritable`, those of `make`.
 */
export async function inWorkFolder<T>(out: string, make: (place: string) => Promise<T>): Promise<T> {
  const refuse = (): void => {
    if (statOrNothing(out)) throw problem('export.exists', { file: out });
  };
  refuse();
  const parent = dirname(out);
  makeFolder(parent);
  removeLeftovers(parent, out);
  const folder = temporaryPlace(out);
  const place = join(folder, basename(out));
  rmSync(folder, { recursive: true, force: true });
  try {
    makeFolder(folder);
    const made = await make(place);
    refuse();
    for (const name of readdirSync(folder).filter((name) => name !== basename(out)))
      orUnwritable(join(parent, name), (to) => renameSync(join(folder, name), to));
    orUnwritable(out, () => renameSync(place, out));
    return made;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
