import { subscribe } from 'node:diagnostics_channel';
import { lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';
import { commands } from '../../../src-main/cli/commands/index.ts';
import { exitStatus, forPeople } from '../../../src-main/cli/failure.ts';

/** What came of a command, run in this process. */
export interface Attempt {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Of this process's processor time. */
  readonly seconds: number;
  readonly connections: number;
}

let connections = 0;
for (const channel of ['net.client.socket', 'undici:request:create']) subscribe(channel, () => connections++);

/** Everything was read, and what takes long would begin. */
class Enough extends Error {}

/**
 * Runs `likeness` with these words as cli/main.ts does, but its output is thrown away. With `readOnly` training ends, as done, before its
 * network is built.
 */
export async function attempt(
  [name = '', ...words]: readonly string[],
  { readOnly = false } = {},
): Promise<Attempt> {
  const before = process.cpuUsage();
  const connected = connections;
  const ended = (status: number, code = '', message = ''): Attempt => {
    const { user, system } = process.cpuUsage(before);
    return { status, code, message, seconds: (user + system) / 1e6, connections: connections - connected };
  };
  try {
    const command = commands.find((known) => known.name === name);
    if (!command) throw new Error(`no command ${name}`);
    const report = (event: JobEvent): void => {
      if (readOnly && event.type === 'progress' && event.label === 'building the network') throw new Enough();
    };
    const context = { report, signal: new AbortController().signal };
    const { failure, afterwards } = await command.prepare(words)(context);
    afterwards?.();
    return failure ? ended(exitStatus(failure), failure.code, failure.message) : ended(0);
  } catch (error) {
    if (error instanceof Enough) return ended(0);
    const { code, message } = forPeople(error);
    return ended(exitStatus(forPeople(error)), code, message);
  }
}

/** What a command may write: its `--out` and what is told beside that, and the run that goes on. */
export function ownOf(words: readonly string[]): string[] {
  return words.includes('--resume')
    ? ['input']
    : ['out', 'out.safetensors', 'out.receipt.json', 'out.receipt.png'];
}

/** Every file below a folder, with its size and time of change. */
export function listing(folder: string, but: readonly string[] = []): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !but.some((left) => name === left || name.startsWith(left + path.sep)))
    .sort()
    .map((name) => {
      const stats = lstatSync(path.join(folder, name), { throwIfNoEntry: false });
      // Its name is no UTF-8.
      if (!stats) return name;
      return stats.isDirectory() ? name : `${name} ${stats.size} ${stats.mtimeMs}`;
    });
}

/** What is wrong with an attempt, if anything. */
export function faults({ status, code, message, seconds, connections }: Attempt): string[] {
  const found: string[] = [];
  if (![0, 1, 2].includes(status)) found.push(`exit status ${status}`);
  if (status && (code === 'internal' || code === 'memory.short')) found.push(`unforeseen: ${message}`);
  if (status && !/^[^\n\r]{20,700}$/.test(message)) found.push(`no sentence: ${message.slice(0, 900)}`);
  if (/undefined|\[object|\bNaN\b(?! or)|[\p{Cc}]| at \S+:\d+/u.test(message))
    found.push(`not for people: ${message.slice(0, 300)}`);
  if (seconds > 20) found.push(`${seconds.toFixed(1)} seconds`);
  if (connections) found.push(`${connections} connections`);
  return found;
}
