import { readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import { makeFolder, orUnwritable, statOrNothing } from '../../engine/checkpoints/files.ts';
import { isLeftover } from '../../engine/checkpoints/leftovers.ts';

/**
 * Lets `make` work beside `out` and renames the result when it is complete, so that `out` is never half-made. Leftovers of killed
 * processes beside it are removed. Errors: `export.exists`, `file.unwritable`, those of `make`.
 */
export async function inWorkFolder<T>(out: string, make: (place: string) => Promise<T>): Promise<T> {
  const refuse = (): void => {
    if (statOrNothing(out)) throw problem('export.exists', { file: out });
  };
  refuse();
  const parent = dirname(out);
  makeFolder(parent);
  const prefix = `.${basename(out).slice(0, 80)}.`;
  removeLeftovers(parent, prefix);
  const folder = join(parent, `${prefix}${process.pid}.tmp`);
  const place = join(folder, basename(out));
  rmSync(folder, { recursive: true, force: true });
  try {
    makeFolder(folder);
    const made = await make(place);
    refuse();
    orUnwritable(out, () => renameSync(place, out));
    return made;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function removeLeftovers(parent: string, prefix: string): void {
  for (const name of readdirSync(parent))
    if (name.startsWith(prefix) && isLeftover(name))
      rmSync(join(parent, name), { recursive: true, force: true });
}
