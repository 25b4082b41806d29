import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { orNothing } from '../../../src-shared/orNothing.ts';
import { isAlive } from '../runtime/isAlive.ts';

/** Whether a name is `.NAME.PID.tmp`, as files and folders have until they are complete, and that process is gone. */
export function isLeftover(name: string): boolean {
  return wasOf(/^\..+\.(\d+)\.tmp$/.exec(name));
}

/** Removes what a process that was killed left half-written in a folder; with `of`, only what was to become this file or folder. */
export function removeLeftovers(folder: string, of?: string): void {
  for (const name of readdirSync(folder))
    if (isLeftover(name) && (of === undefined || name.startsWith(prefixOf(of)))) removeIn(folder, name);
}

/** Where `path` is written until it is complete: `.NAME.PID.tmp` beside it. */
export function temporaryPlace(path: string): string {
  return join(dirname(path), `${prefixOf(path)}${process.pid}.tmp`);
}

// File systems take names of 255 bytes.
const prefixOf = (path: string): string => `.${basename(path).slice(0, 80)}.`;

const workFolder = /^likeness-[a-z-]+-(\d+)-\w{6}$/;

/** A new folder among the system's temporary ones, for this process. Those of processes that were killed are removed. */
export function temporaryFolder(name: string): string {
  for (const found of readdirSync(tmpdir())) if (wasOf(workFolder.exec(found))) removeIn(tmpdir(), found);
  return mkdtempSync(join(tmpdir(), `likeness-${name}-${process.pid}-`));
}

function wasOf(found: RegExpExecArray | null): boolean {
  const pid = Number(found?.[1]);
  return pid > 0 && !isAlive(pid);
}

function removeIn(folder: string, name: string): void {
  // Another account's is not ours to remove.
  orNothing(() => rmSync(join(folder, name), { recursive: true, force: true }));
}
