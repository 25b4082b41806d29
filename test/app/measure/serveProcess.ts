import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { bundleFolder } from '../../../src-main/cli/studioFiles.ts';

/** `likeness serve` as a process of its own. */
export interface ServeProcess {
  /** When it was started, in ms since 1970, as the page's clock tells it. */
  readonly started: number;
  readonly url: string;
  /** How long its event loop was blocked since the last time this was asked: the five longest, in ms. */
  readonly blocks: () => Promise<number[]>;
  readonly close: () => Promise<void>;
}

export async function startServe(library: string): Promise<ServeProcess> {
  const delays = `${library}.delays.json`;
  const counter = path.join(import.meta.dirname, 'loopDelay.cjs');
  const started = Date.now();
  const child = spawn(
    process.execPath,
    [
      ...['--require', counter, path.join(bundleFolder(), 'likeness.js')],
      ...['serve', '--json', '--library', library],
    ],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LOOP_DELAYS: delays, LIKENESS_CACHE: `${library}.cache` },
    },
  );
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/\S+?token=[\w-]+/.exec(line)?.[0];
    if (url === undefined) continue;
    return {
      started,
      url,
      blocks: async () => {
        rmSync(delays, { force: true });
        child.kill('SIGUSR2');
        while (!existsSync(delays)) await wait(20);
        await wait(20);
        return (JSON.parse(readFileSync(delays, 'utf8')) as number[]).slice(0, 5);
      },
      close: async () => {
        child.kill('SIGINT');
        await once(child, 'exit');
      },
    };
  }
  throw new Error('likeness serve ended without an address');
}
