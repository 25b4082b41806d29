import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Pack } from 'tar-stream';
import { fresh, nothing, type FileAnswer } from './fileAnswer.ts';

/** An export as a download: a file as it is, a folder as one .tar. `file`: its path, or undefined if there is none. */
export async function exportFile(file: string | undefined): Promise<FileAnswer> {
  if (file === undefined || !existsSync(file)) return nothing;
  const name = path.basename(file);
  if (!statSync(file).isDirectory())
    return { ...fresh('application/octet-stream', createReadStream(file)), saveAs: name };
  const { pack: newPack } = await import('tar-stream');
  const pack = newPack();
  // tar-stream has its own kind of streams.
  const body = Readable.from(pack);
  fill(pack, file, name).catch((error: unknown) => pack.destroy(error as Error));
  return { ...fresh('application/x-tar', body), saveAs: `${name}.tar` };
}

/** One file after the other, streamed: models are too large for memory. */
async function fill(pack: Pack, folder: string, name: string): Promise<void> {
  for (const found of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!found.isFile()) continue;
    const file = path.join(found.parentPath, found.name);
    const { size, mtime } = statSync(file);
    const inside = [name, ...path.relative(folder, file).split(path.sep)].join('/');
    await pipeline(createReadStream(file), pack.entry({ name: inside, size, mtime }));
  }
  pack.finalize();
}
