import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { makeFolders } from '../../makeFolders.ts';
import { forPeople } from '../../../src-shared/messages/forPeople.ts';
import { LikenessError, problem } from '../../../src-shared/messages/index.ts';
import { getFromHub, type HubFile } from './hub.ts';
import { waitBefore } from './retry.ts';

/** Milliseconds between two reports of the bytes so far. */
const reportEvery = 200;

/**
 * Downloads a file, unless it is there with the listed hash. An earlier try's `FILE.part` is continued, and the file gets its name
 * only when its hash is the listed one. Errors: `download.failed`, `download.refused`, `download.changed`, `system.refused`.
 */
export async function fetchFile(
  address: string,
  { path, size, hash: wanted }: HubFile,
  target: string,
  onBytes: (done: number) => void,
  signal: AbortSignal,
  login?: string,
): Promise<void> {
  let reportedAt = -Infinity;
  const tell = (done: number): void => {
    const now = performance.now();
    if (done < size && now - reportedAt < reportEvery) return;
    reportedAt = now;
    onBytes(done);
  };
  if ((await sizeOf(target)) === size && (await hashOf(target, size, wanted.kind)) === wanted.value) {
    tell(size);
    return;
  }
  const part = `${target}.part`;
  makeFolders(dirname(target));
  let known = 0;
  // A branch may have moved on since an earlier try.
  let mayBeOlder = (await sizeOf(part)) !== undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      const hash = await append({ address, login }, part, size, wanted.kind, tell, signal);
      if (hash !== wanted.value) {
        await rm(part, { force: true });
        if (mayBeOlder) {
          mayBeOlder = false;
          continue;
        }
        throw problem('download.changed', { file: path });
      }
      await rename(part, target);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof LikenessError) throw error;
      // Trying again does not help against a full disk.
      if ((error as NodeJS.ErrnoException).path !== undefined) throw forPeople(error);
      // The count of tries starts over while bytes arrive: over a bad line, a gigabyte is cut off more often than a small file.
      const here = (await sizeOf(part)) ?? 0;
      if (here > known) attempt = 1;
      known = here;
      const pause = waitBefore(attempt);
      if (pause === undefined) throw problem('download.failed', { file: path, why: causeOf(error) }, error);
      await wait(pause, undefined, { signal });
    }
  }
}

/** Fetches what is missing of `part`; returns the hash of the whole. */
async function append(
  { address, login }: { readonly address: string; readonly login: string | undefined },
  part: string,
  size: number,
  kind: HubFile['hash']['kind'],
  onBytes: (done: number) => void,
  signal: AbortSignal,
): Promise<string> {
  let done = (await sizeOf(part)) ?? 0;
  if (done > size) done = 0;
  let answer: Response | undefined;
  if (done < size) {
    answer = await getFromHub(address, basename(part, '.part'), signal, { login, from: done });
    if (answer.status !== 206) done = 0;
  }
  const hash = newHash(size, kind);
  if (done > 0) await addFile(hash, part, done);
  onBytes(done);
  const file = await open(part, done > 0 ? 'r+' : 'w');
  try {
    for await (const bytes of (answer?.body ?? []) as AsyncIterable<Uint8Array>) {
      await file.write(bytes, 0, bytes.length, done);
      hash.update(bytes);
      done += bytes.length;
      onBytes(done);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (done < size) throw new Error('the connection ended early');
  return hash.digest('hex');
}

/** Git's hash of a file, or the SHA-256 of its bytes. */
function newHash(size: number, kind: HubFile['hash']['kind']): Hash {
  return kind === 'git' ? createHash('sha1').update(`blob ${size}\0`) : createHash('sha256');
}

async function hashOf(file: string, size: number, kind: HubFile['hash']['kind']): Promise<string> {
  const hash = newHash(size, kind);
  if (size > 0) await addFile(hash, file, size);
  return hash.digest('hex');
}

async function addFile(hash: Hash, file: string, bytes: number): Promise<void> {
  for await (const piece of createReadStream(file, { end: bytes - 1 }) as AsyncIterable<Buffer>)
    hash.update(piece);
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.size;
}

function causeOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: Error };
  return cause?.message ?? message;
}
