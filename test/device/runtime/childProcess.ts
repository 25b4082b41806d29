import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs a script beside this file in a process of its own and parses the last line that it prints. */
export async function inChild<T>(
  script: string,
  words: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<T> {
  const { stdout } = await run(
    process.execPath,
    ['--import', 'tsx', `${import.meta.dirname}/${script}`, ...words],
    {
      env: { ...process.env, ...env },
      maxBuffer: 64 << 20,
    },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
}
