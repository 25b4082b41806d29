import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync, type Stats } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { LikenessError, problem } from '../../../src-shared/messages/index.ts';
import { makeFolders } from '../../makeFolders.ts';
import { insteadOfFile } from './insteadOfFile.ts';

/** `statSync` or undefined where nothing is. Errors: `file.unreadable`. */
export function statOrNothing(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw unreadable(path, error);
  }
}

export function isFile(path: string): boolean {
  return statOrNothing(path)?.isFile() ?? false;
}

export function isFolder(path: string): boolean {
  return statOrNothing(path)?.isDirectory() ?? false;
}

/** An open file and its size. `read` throws unless every byte asked for is there. */
export interface OpenFile {
  readonly path: string;
  readonly size: number;
  read(into: Uint8Array, offset: number): void;
  bytes(offset: number, length: number): Uint8Array;
}

/** Opens a regular file for the length of `use`; pipes and devices are refused, they could block. */
export function withFile<T>(path: string, use: (file: OpenFile) => T): T {
  const stats = statOrNothing(path);
  if (!stats) throw problem('file.missing', { file: path });
  if (!stats.isFile()) throw problem('file.unreadable', { file: path, why: 'it is not a regular file' });
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    const { size } = fstatSync(descriptor);
    const read = (into: Uint8Array, offset: number) => {
      let done = 0;
      while (done < into.length) {
        // One read call gives at most 2 GiB.
        const length = Math.min(into.length - done, 1 << 30);
        const got = tryRead(path, () => readSync(descriptor, into, done, length, offset + done));
        if (got === 0)
          throw problem('weights.damaged', { file: path, why: `it ends at byte ${offset + done}` });
        done += got;
      }
    };
    const bytes = (offset: number, length: number) => {
      if (offset + length > size)
        throw problem('weights.damaged', { file: path, why: `it ends at byte ${size}` });
      const into = new Uint8Array(length);
      read(into, offset);
      return into;
    };
    return use({ path, size, read, bytes });
  } finally {
    closeSync(descriptor);
  }
}

/** Parses a JSON file of at most 16 MB. Errors: `file.missing`, `file.unreadable`, `config.invalid`. */
export function readJson(path: string): unknown {
  return parseJson(readText(path), path);
}

/** Reads a text file of at most 16 MB. Errors: `file.missing`, `file.unreadable`, `config.invalid`. */
export function readText(path: string): string {
  const stats = statOrNothing(path);
  if (!stats) throw problem('file.missing', { file: path });
  if (!stats.isFile()) throw problem('file.unreadable', { file: path, why: 'it is not a regular file' });
  if (stats.size > 16e6)
    throw problem('config.invalid', { file: path, why: `${stats.size} bytes are too many` });
  // Windows' editors put a byte order mark first.
  return tryRead(path, () => readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
}

/** `what` names the text inside the file where the file holds more than it. Errors: `config.invalid`. */
export function parseJson(text: string, path: string, what = 'it'): unknown {
  const instead = insteadOfFile(text);
  if (instead !== undefined) throw problem('config.invalid', { file: path, why: `${what} is ${instead}` });
  try {
    // Python writes numbers that JSON does not have: `"lambda_min_clipped": -Infinity`.
    return JSON.parse(
      text
        .replace(/(:\s*-?)Infinity\b/g, (_, before: string) => `${before}1e999`)
        .replace(/(:\s*)NaN\b/g, '$1null'),
    );
  } catch (error) {
    throw problem('config.invalid', { file: path, why: `${what} is not JSON` }, error);
  }
}

/** `readJson` for a file that may be absent. */
export function readJsonIfThere(path: string): unknown {
  return isFile(path) ? readJson(path) : undefined;
}

/** The entries of a JSON object; nothing for any other value. */
export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function tryRead<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown) {
  return problem('file.unreadable', { file: path, why: errorCode(error) }, error);
}

/** Makes `folder` for `bytes` of downloads. Errors: `download.noRoom`, `file.unwritable`. */
export async function makeRoom(folder: string, bytes: number): Promise<void> {
  makeFolder(folder);
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes)
    throw problem('download.noRoom', { folder, gigabytes: (bytes / 1e9).toFixed(1) });
}

/** `EACCES`, `ENOSPC`, …: what the system calls the error. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** Makes a folder and those above it. Errors: `file.unwritable`, of the part of the path that is in the way. */
export function makeFolder(folder: string): void {
  try {
    makeFolders(folder);
  } catch (error) {
    const { path = folder } = error as { path?: string };
    orUnwritable(path, () => {
      throw error;
    });
  }
}

export function orUnwritable(path: string, write: (path: string) => void): void {
  try {
    write(path);
  } catch (error) {
    if (error instanceof LikenessError) throw error;
    throw problem('file.unwritable', { file: path, why: errorCode(error) }, error);
  }
}
