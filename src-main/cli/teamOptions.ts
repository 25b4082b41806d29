import { spawn } from 'node:child_process';
import type { StartTeamWorker, TeamSettings, WorkerProvider } from '../engine/training/team/gather.ts';
import { providerChoices } from '../../src-shared/domain/providers.ts';
import { badValue, integer, names, text } from './options.ts';

/** Options of the commands that train: who computes. */
export const teamOptions = {
  workers: integer('N', "processes on this machine that share a step's batches (see --accumulate)", {
    min: 1,
    max: 512,
    fallback: 'only this one',
  }),
  workerProviders: names(
    'A,B',
    'what each of --workers computes with, in turn: cpu, webgpu, cuda:0, cuda:1 …',
    {
      fallback: 'what --provider says',
    },
  ),
  listen: text('[HOST:]PORT', 'let workers of other machines join there', { fallback: 'nobody joins' }),
};

/** Undefined where this process computes alone. Throws `usage.badValue`, `usage.conflict`. */
export function teamOf({
  workers,
  workerProviders,
  listen,
}: {
  readonly workers?: number;
  readonly workerProviders?: readonly string[];
  readonly listen?: string;
}): TeamSettings | undefined {
  const providers = workerProviders?.map(workerProvider);
  const count = workers ?? providers?.length;
  if (listen === undefined)
    return count === undefined ? undefined : { workers: count, workerProviders: providers, start };
  const address = listen.includes(':') ? listen : `0.0.0.0:${listen}`;
  if (!isAddress(address)) throw badValue('--listen', listen, 'a port, or HOST:PORT');
  return { workers: count ?? 1, workerProviders: providers, start, listen: address };
}

/** Whether this is HOST:PORT; an address with colons of its own stands in brackets. */
export function isAddress(address: string): boolean {
  const [, port] = /^(?:[^\s:[\]]+|\[[\da-f:.]+\]):(\d{1,5})$/i.exec(address) ?? [];
  return port !== undefined && Number(port) <= 65_535;
}

/** `cpu`, or `cuda:1`. */
function workerProvider(word: string): WorkerProvider {
  const [, name, device] = /^([a-z]+)(?::(\d{1,3}))?$/.exec(word) ?? [];
  const provider = providerChoices.find((choice) => choice === name);
  if (provider === undefined || (device !== undefined && provider !== 'cuda'))
    throw badValue(
      '--worker-providers',
      word,
      `one of ${providerChoices.join(', ')}, or cuda with a card's number, such as cuda:1`,
    );
  return { provider, ...(device !== undefined && { device: Number(device) }) };
}

/** This command again, as a worker. The token is not shown in the list of processes. */
const start: StartTeamWorker = ({ address, token, threads, model, teacher, provider, device }) => {
  const own = { threads: String(threads), model, provider, ...(teacher !== undefined && { teacher }) };
  const words = Object.entries(own).flatMap(([name, value]) => [`--${name}`, value]);
  // CUDA shows a process only the cards that this names.
  const card = device !== undefined && { CUDA_VISIBLE_DEVICES: String(device) };
  const env = { ...process.env, ...card, LIKENESS_TOKEN: token };
  return spawn(
    process.execPath,
    [...process.execArgv, process.argv[1] as string, 'join', address, ...words, '--quiet', '--json'],
    { env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  );
};
