import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** True for what is called `.NAME.PID.tmp`, as files and folders are here until they are complete, when that process is no more. */
export function isLeftover(name: string): boolean {
  const pid = Number(/^\..+\.(\d+)\.tmp$/.exec(name)?.[1]);
  return pid > 0 && !isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // One that may not be signalled is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes what a process that was killed left half-written in a folder. */
export function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder))
    if (isLeftover(name)) rmSync(join(folder, name), { recursive: true, force: true });
}
