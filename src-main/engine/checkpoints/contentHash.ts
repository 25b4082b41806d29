import { orNothing } from '../../../src-shared/orNothing.ts';
import { makeFolders } from '../../makeFolders.ts';
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync, type BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import { errorCode, withFile } from './files.ts';
import { removeLeftovers, temporaryPlace } from './leftovers.ts';

let folder: string | undefined;
/** The folder whose leftovers this process has removed. */
let tidied: string | undefined;
const known = new Map<string, string>();

/** From now on what is known of large files is kept in `path` for the next process; without this each process reads the files itself. */
export function keepHashesIn(path: string): void {
  folder = path;
}

/** A place in that folder; nothing where there is none. */
export function cachedPlace(...names: readonly string[]): string | undefined {
  return folder === undefined ? undefined : join(folder, ...names);
}

/**
 * What `compute` says of the content of `files`, remembered as long as none of them changes: a file is known by device, inode,
 * size and the times of its last changes, to the nanosecond. `about` tells different hashes of the same files apart. Errors:
 * `file.missing`, `file.unreadable`, those of `compute`.
 */
export function rememberedHash(files: readonly string[], about: string, compute: () => string): string {
  const { key, settled } = identity(files, about);
  const found = known.get(key) ?? (settled ? kept(key) : undefined);
  const hash = found ?? compute();
  // What was written a moment ago may be written again within the same tick of the clock, as git's index has it ("racy").
  if (settled && found === undefined) keep(key, hash);
  if (settled) known.set(key, hash);
  return hash;
}

/** SHA-256 of a whole file, hex, remembered. Errors as `rememberedHash`. */
export function fileHash(file: string): string {
  return rememberedHash([file], 'file', () => {
    const hash = createHash('sha256');
    withFile(file, (open) => {
      for (let at = 0; at < open.size; at += pieceBytes)
        hash.update(open.bytes(at, Math.min(pieceBytes, open.size - at)));
    });
    return hash.digest('hex');
  });
}

/** SHA-256 of a text or of numbers' bytes, hex; the first `digits` of it. */
export function sha256(content: string | NodeJS.ArrayBufferView, digits = 64): string {
  return createHash('sha256').update(content).digest('hex').slice(0, digits);
}

const pieceBytes = 4 << 20;
const settlingNs = 2_000_000_000n;

/** What tells whether any of these files has changed since, without reading them. Errors: `file.missing`, `file.unreadable`. */
export function identityOf(files: readonly string[]): string {
  return identity(files, '').key;
}

function identity(files: readonly string[], about: string): { key: string; settled: boolean } {
  const hash = createHash('sha256').update(about);
  const before = BigInt(Date.now()) * 1_000_000n - settlingNs;
  let settled = true;
  for (const file of files) {
    const { dev, ino, size, mtimeNs, ctimeNs } = stat(file);
    hash.update(`\n${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`);
    settled &&= mtimeNs < before && ctimeNs < before;
  }
  return { key: hash.digest('hex').slice(0, 32), settled };
}

function stat(file: string): BigIntStats {
  try {
    return statSync(file, { bigint: true });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') throw problem('file.missing', { file });
    throw problem('file.unreadable', { file, why: errorCode(error) }, error);
  }
}

const place = (key: string): string => join(folder ?? '', 'hashes', key);

function kept(key: string): string | undefined {
  if (folder === undefined) return undefined;
  return orNothing(() => /^(?:[0-9a-f]{32}){1,2}$/.exec(readFileSync(place(key), 'utf8'))?.[0]);
}

/** A folder that can't be written keeps nothing: the files are read again. */
function keep(key: string, hash: string): void {
  if (folder === undefined) return;
  try {
    const hashes = join(folder, 'hashes');
    makeFolders(hashes);
    if (tidied !== folder) removeLeftovers(hashes);
    tidied = folder;
    const own = temporaryPlace(place(key));
    writeFileSync(own, hash);
    renameSync(own, place(key));
  } catch {
    return;
  }
}
