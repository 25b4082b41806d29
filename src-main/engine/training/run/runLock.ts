import { realpathSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { sha256 } from '../../checkpoints/contentHash.ts';
import { problem } from '../../../../src-shared/messages/index.ts';

/**
 * Keeps a run's folder for this process while `work` lasts: two that train one run would write over each other's checkpoints. The lock
 * is a local socket that listens, so the system opens it when the process ends in any way. Errors: `run.inUse`, those of `work`.
 */
export async function whileLocked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const held = await lock(folder);
  try {
    return await work();
  } finally {
    held?.close();
  }
}

async function lock(folder: string): Promise<net.Server | undefined> {
  const place = socketOf(folder);
  for (const again of [true, false]) {
    const held = await listening(place);
    if (held !== 'taken') return held;
    if (!again || (await answers(place))) break;
    // What a process that was killed left behind.
    rmSync(place, { force: true });
  }
  throw problem('run.inUse', { folder });
}

/** Named by the folder, whichever links lead to it. Paths of sockets must be short. */
function socketOf(folder: string): string {
  const name = sha256(`${userInfo().username}\n${whole(resolve(folder))}`);
  const own = `likeness-run-${name.slice(0, 16)}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${own}` : join(tmpdir(), `${own}.sock`);
}

/** A path without links; the run's folder itself may not be there yet. */
function whole(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    return dirname(folder) === folder ? folder : join(whole(dirname(folder)), basename(folder));
  }
}

/** Where the system has no such sockets, nothing is locked: that keeps nobody from training. */
function listening(place: string): Promise<net.Server | 'taken' | undefined> {
  const server = net.createServer((socket) => socket.destroy());
  return new Promise((done) => {
    server.on('error', ({ code }: NodeJS.ErrnoException) =>
      done(code === 'EADDRINUSE' ? 'taken' : undefined),
    );
    try {
      server.listen(place, () => done(server.unref()));
    } catch {
      done(undefined);
    }
  });
}

function answers(place: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = net.connect(place);
    socket.on('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}
