import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { _electron, chromium, type Page } from 'playwright-core';
import type { Ask } from './electronStandIn/browserWindow.ts';

const root = path.resolve(import.meta.dirname, '../..');
const standIn = path.join(import.meta.dirname, 'electronStandIn');

/** What the app asked Electron for. */
export interface AppState {
  readonly sandboxed: boolean;
  readonly schemes: readonly {
    readonly scheme: string;
    readonly privileges: Readonly<Record<string, boolean>>;
  }[];
  readonly menu: readonly {
    readonly role?: string;
    readonly submenu?: readonly { readonly role?: string }[];
  }[];
  readonly asked: readonly Readonly<Record<string, unknown>>[];
  readonly windows: readonly { readonly webPreferences: Readonly<Record<string, unknown>> }[];
  readonly permissions: { readonly request: boolean; readonly check: boolean };
}

type Question = Ask extends infer A ? (A extends unknown ? Omit<A, 'id'> : never) : never;

export interface App {
  readonly page: Page;
  /** Only of the stand-in; Electron itself cannot be asked. */
  readonly ask?: (question: Question) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

/** Electron's own program, where it has been fetched and a display is there; else the stand-in opens Chromium. */
export const electronProgram = [
  process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? path.join(root, 'node_modules/electron/dist'),
]
  .map((folder) => path.join(folder, process.platform === 'win32' ? 'electron.exe' : 'electron'))
  .find((file) => existsSync(file) && (process.platform !== 'linux' || process.env['DISPLAY'] !== undefined));

/** Opens the studio's app, the bundles of `folder`, on a library. */
export async function launchApp(library: string, cache: string, folder = root): Promise<App> {
  const env = { ...process.env, LIKENESS_LIBRARY: library, LIKENESS_CACHE: cache } as Record<string, string>;
  const main = path.join(folder, 'dist/main.js');
  if (electronProgram) {
    const app = await _electron.launch({ executablePath: electronProgram, args: [main], env });
    return { page: await app.firstWindow(), close: () => app.close() };
  }
  const tsx = createRequire(import.meta.url).resolve('tsx');
  const child = fork(main, {
    env,
    execArgv: ['--import', tsx, '--import', path.join(standIn, 'resolve.mjs')],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let last = 0;
  child.setMaxListeners(0);
  const ask = (question: Question): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = (last += 1);
      const heard = (message: unknown): void => {
        const answer = message as { id: number; value: unknown };
        if (answer.id !== id) return;
        child.off('message', heard);
        resolve(answer.value);
      };
      child.on('message', heard);
      child.once('exit', (code) => reject(new Error(`the app ended: ${code ?? 'killed'}`)));
      child.send({ ...question, id });
    });
  const exited = once(child, 'exit');
  let endpoint = await ask({ about: 'endpoint' });
  while (typeof endpoint !== 'string') {
    await new Promise((soon) => setTimeout(soon, 50));
    endpoint = await ask({ about: 'endpoint' });
  }
  const browser = await chromium.connectOverCDP(endpoint);
  const page = browser.contexts()[0]?.pages()[0];
  if (!page) throw new Error('the app has no window');
  return {
    page,
    ask,
    close: async () => {
      await browser.close();
      child.send({ id: 0, about: 'quit' });
      await exited;
    },
  };
}
