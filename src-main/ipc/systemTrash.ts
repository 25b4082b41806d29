import { existsSync } from 'node:fs';
import { cp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { makeFolders } from '../makeFolders.ts';

/**
 * Hands a file or folder to the desktop's trash without Electron: freedesktop.org's trash specification 1.0 on Linux; on other
 * systems, whose trash needs their own calls, to a folder `Likeness trash` in the person's home.
 */
export async function systemTrash(file: string): Promise<void> {
  const home = process.env['XDG_DATA_HOME'] ?? path.join(os.homedir(), '.local/share');
  const trash =
    process.platform === 'linux' ? path.join(home, 'Trash') : path.join(os.homedir(), 'Likeness trash');
  const [files, infos] = [path.join(trash, 'files'), path.join(trash, 'info')];
  makeFolders(files, 0o700);
  makeFolders(infos, 0o700);
  const { name, ext } = path.parse(file);
  let own = name + ext;
  for (let number = 2; existsSync(path.join(files, own)); number++) own = `${name} ${number}${ext}`;
  const when = new Date().toISOString().slice(0, 19);
  const place = encodeURI(path.resolve(file));
  await writeFile(
    path.join(infos, `${own}.trashinfo`),
    `[Trash Info]\nPath=${place}\nDeletionDate=${when}\n`,
  );
  try {
    await rename(file, path.join(files, own));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await cp(file, path.join(files, own), { recursive: true });
    await rm(file, { recursive: true });
  }
}
