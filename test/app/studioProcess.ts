import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { bundleFolder } from '../../src-main/shipped.ts';

/** Surroundings in which a studio counts how long its event loop is blocked: see `blocks`. */
export function counting(library: string): NodeJS.ProcessEnv {
  const counter = path.join(import.meta.dirname, 'measure', 'loopDelay.cjs');
  return {
    ...process.env,
    NODE_OPTIONS: `--require ${JSON.stringify(counter)}`,
    LOOP_DELAYS: `${library}.delays.json`,
    LIKENESS_CACHE: `${library}.cache`,
  };
}

/** `likeness serve` as a process of its own. */
export class StudioProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    /** When it was started, in ms since 1970, as a page's clock tells it. */
    readonly started: number,
    private readonly delays = '',
  ) {}

  static async start(library: string, env: NodeJS.ProcessEnv = process.env): Promise<StudioProcess> {
    const started = Date.now();
    const words = [path.join(bundleFolder(), 'likeness.js'), 'serve', '--library', library, '--json'];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'], env });
    let said = '';
    const url = await new Promise<string>((resolve, reject) => {
      const heard = (bytes: Buffer): void => {
        said += bytes.toString();
        const found = /http:\/\/\S+?token=[\w-]+/.exec(said)?.[0];
        if (found !== undefined) resolve(found);
      };
      child.stdout.on('data', heard);
      child.stderr.on('data', heard);
      child.once('exit', () => reject(new Error(`the studio did not start: ${said}`)));
    });
    return new StudioProcess(child, url, started, env['LOOP_DELAYS']);
  }

  /** How long its event loop was blocked since the last time this was asked: the five longest, in ms. Only in `counting` surroundings. */
  async blocks(): Promise<number[]> {
    rmSync(this.delays, { force: true });
    this.child.kill('SIGUSR2');
    while (!existsSync(this.delays)) await wait(20);
    await wait(20);
    return (JSON.parse(readFileSync(this.delays, 'utf8')) as number[]).slice(0, 5);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Its worker processes. */
  workers(): number[] {
    const { pid } = this.child;
    try {
      const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
      return text.split(' ').filter(Boolean).map(Number);
    } catch {
      return [];
    }
  }

  /** Ends it as a crash or the system would. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGINT');
    await ended;
  }
}

/** Seconds until none of these processes is there; gives up after `most`. */
export async function secondsToEnd(pids: readonly number[], most: number): Promise<number> {
  const from = performance.now();
  const passed = (): number => (performance.now() - from) / 1000;
  while (pids.some(isAlive) && passed() < most) await wait(50);
  return pids.some(isAlive) ? Infinity : passed();
}

function isAlive(pid: number): boolean {
  try {
    // A zombie that waits to be collected does nothing any more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
