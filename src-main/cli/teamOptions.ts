import { spawn } from 'node:child_process';
import type { StartWorker, TeamSettings } from '../engine/training/team/gather.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { integer, text } from './options.ts';

/** Of the commands that train: who computes. */
export const teamOptions = {
  workers: integer('N', "processes on this machine that share a step's batches (see --accumulate)", {
    min: 1,
    max: 512,
    fallback: 'this one alone',
  }),
  listen: text('[HOST:]PORT', 'let workers of other machines join there', { fallback: 'nobody joins' }),
};

/** Nothing where this process computes alone. Throws `usage.badValue`. */
export function teamOf({
  workers,
  listen,
}: {
  readonly workers?: number;
  readonly listen?: string;
}): TeamSettings | undefined {
  if (listen === undefined) return workers === undefined ? undefined : { workers, start };
  if (!/^([^\s:]+:|\[[\da-f:]+\]:)?\d{1,5}$/i.test(listen))
    throw problem('usage.badValue', { option: '--listen', value: listen, expected: 'a port, or HOST:PORT' });
  return { workers: workers ?? 1, start, listen: listen.includes(':') ? listen : `0.0.0.0:${listen}` };
}

/** This command again, as a worker. The token is not shown in the list of processes. */
const start: StartWorker = ({ address, token, threads }) =>
  spawn(
    process.execPath,
    [
      ...process.execArgv,
      process.argv[1] as string,
      'join',
      address,
      '--threads',
      String(threads),
      '--quiet',
      '--json',
    ],
    { env: { ...process.env, LIKENESS_TOKEN: token }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  );
