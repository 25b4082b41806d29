import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Verdict } from './verdict.ts';

/** By provider: what was found, or the process that is trying it; `on` says which device and driver it is about. */
type Kept = Record<string, { on: string; verdict?: Verdict; trying?: number } | undefined>;

let folder: string | undefined;

/** From now on verdicts are kept in `path` for the next process; without this each process tries for itself. */
export function keepVerdictsIn(path: string): void {
  folder = path;
}

const file = (): string => join(folder ?? '', 'providers.json');

function read(): Kept {
  if (folder === undefined) return {};
  try {
    return JSON.parse(readFileSync(file(), 'utf8')) as Kept;
  } catch {
    return {};
  }
}

/** A folder that can't be written keeps nothing: the trial is made again. */
function write(provider: string, entry: Kept[string]): void {
  if (folder === undefined) return;
  try {
    mkdirSync(folder, { recursive: true });
    const own = `${file()}.${process.pid}`;
    writeFileSync(own, JSON.stringify({ ...read(), [provider]: entry }, null, 2));
    renameSync(own, file());
  } catch {
    return;
  }
}

/** The verdict on `provider` for this device and driver; `crashed` where the process that tried it is gone without one. */
export function keptVerdict(provider: Verdict['provider'], on: string): Verdict | undefined {
  const kept = read()[provider];
  if (kept?.on !== on) return undefined;
  if (kept.verdict) return kept.verdict;
  if (kept.trying === undefined || isAlive(kept.trying)) return undefined;
  return { provider, state: 'crashed', why: 'the program ended while it was tried' };
}

/** Written before a trial, for one that takes this process with it. */
export function markTrial(provider: string, on: string): void {
  write(provider, { on, trying: process.pid });
}

export function keepVerdict(verdict: Verdict, on: string): void {
  write(verdict.provider, { on, verdict });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
