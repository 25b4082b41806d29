import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll } from 'vitest';

const run = promisify(execFile);

/** Children of one test file try a device once: on a driver in software that takes longer than most of what they do. */
const cache = mkdtempSync(join(tmpdir(), 'likeness-children-'));
afterAll(() => rmSync(cache, { recursive: true }));

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
      env: { ...process.env, LIKENESS_CACHE: cache, ...env },
      maxBuffer: 64 << 20,
    },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
}
