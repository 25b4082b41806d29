import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import { makeFolder, orUnwritable, statOrNothing } from './files.ts';

/**
 * Makes room for a file that a command writes when all its work is done: its folder is made, and it must be free or hold what an earlier
 * call left there (`isOurs`; one that can't be read is not), since any other file is somebody's. `what` it should be, in words. Errors: `output.taken`, `file.unwritable`.
 */
export async function prepareOutput(
  file: string,
  what: string,
  isOurs: () => boolean | Promise<boolean>,
): Promise<void> {
  const folder = dirname(file);
  makeFolder(folder);
  orUnwritable(file, () => accessSync(folder, constants.W_OK));
  const there = statOrNothing(file);
  if (there?.isDirectory()) throw problem('file.unwritable', { file, why: 'EISDIR' });
  if (!there) return;
  const ours =
    there.isFile() &&
    (await Promise.resolve()
      .then(isOurs)
      .catch(() => false));
  if (!ours) throw problem('output.taken', { file, what });
}
