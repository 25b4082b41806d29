import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../runtime/isAlive.ts';

/** Whether a name is `.NAME.PID.tmp`, as files and folders have until they are complete, and that process is gone. */
export function isLeftover(name: string): boolean {
  const pid = Number(/^\..+\.(\d+)\.tmp$/.exec(name)?.[1]);
  return pid > 0 && !isAlive(pid);
}

/** Removes what a process that was killed left half-written in a folder. */
export function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder))
    if (isLeftover(name)) rmSync(join(folder, name), { recursive: true, force: true });
}
