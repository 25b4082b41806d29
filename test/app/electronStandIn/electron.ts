/**
 * A small stand-in for the `electron` module, for machines where its binary cannot be had: the main process is a Node process, its windows
 * are a real Chromium's. It has what src-main uses, with Electron's defaults, which allow everything that the app does not refuse: another
 * page, another window, any permission, any request. `likeness:` is shown to Chromium as an address of https, a secure origin too.
 * Never shipped.
 */
import { fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import path from 'node:path';
import { browserWindows, BrowserWindow, type Ask } from './browserWindow.ts';
import { handlers, ipcMain } from './ipcMain.ts';
import { protocol, schemes, session } from './session.ts';

export { BrowserWindow, ipcMain, protocol, session };

class App extends EventEmitter {
  readonly isPackaged = false;
  sandboxed = false;
  private quitting = false;

  enableSandbox(): void {
    this.sandboxed = true;
  }

  requestSingleInstanceLock(): boolean {
    return true;
  }

  whenReady(): Promise<void> {
    return Promise.resolve();
  }

  quit(): void {
    if (this.quitting) return;
    this.quitting = true;
    const wishes: string[] = [];
    this.emit('before-quit', { preventDefault: () => wishes.push('not yet') });
    this.quitting = false;
    if (wishes.length === 0) this.exit(0);
  }

  exit(code: number): void {
    const windows = [...browserWindows];
    for (const window of windows) window.destroy();
    void Promise.all(windows.map(({ closed }) => closed)).finally(() => process.exit(code));
  }
}

export const app = new App();
BrowserWindow.created = (contents) => app.emit('web-contents-created', {}, contents);
BrowserWindow.allClosed = () => {
  if (!app.emit('window-all-closed')) app.quit();
};

export const nativeTheme = { shouldUseDarkColors: false };

let menu: unknown = null;
export const Menu = {
  buildFromTemplate: (template: unknown) => template,
  setApplicationMenu: (given: unknown) => (menu = given),
};

/** What the person sees of dialogs and of the desktop: nothing; what was asked for is kept. */
const asked: unknown[] = [];
const chosen: string[] = [];
export const dialog = {
  showErrorBox: (title: string, content: string) => void asked.push({ errorBox: { title, content } }),
  showOpenDialog: (options: unknown) => {
    asked.push({ openDialog: options });
    const filePaths = chosen.splice(0);
    return Promise.resolve({ canceled: filePaths.length === 0, filePaths });
  },
};
export const shell = {
  showItemInFolder: (file: string) => void asked.push({ showItemInFolder: file }),
  trashItem: (file: string) => {
    asked.push({ trashItem: file });
    return Promise.resolve();
  },
};

/** A process with a port to this one. */
class UtilityProcess extends EventEmitter {
  private readonly child;

  constructor(file: string, words: readonly string[], { stdio }: { stdio?: readonly ('ignore' | 'pipe')[] }) {
    super();
    this.child = fork(file, words, {
      execArgv: ['--import', path.join(import.meta.dirname, 'parentPort.mjs')],
      stdio: [...(stdio ?? ['ignore', 'ignore', 'ignore']), 'ipc'],
      serialization: 'advanced',
    });
    this.child.on('message', (message) => this.emit('message', message));
    this.child.once('exit', (code) => this.emit('exit', code ?? 1));
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get stderr(): typeof this.child.stderr {
    return this.child.stderr;
  }

  postMessage(message: object): void {
    if (this.child.connected) this.child.send(message);
  }
}

export const utilityProcess = {
  fork: (file: string, words: readonly string[] = [], options: { stdio?: ('ignore' | 'pipe')[] } = {}) =>
    new UtilityProcess(file, words, options),
};

/** The test that started this process asks what the app did. */
process.on('message', (question: Ask) => {
  void Promise.resolve(answer(question)).then((value) => process.send?.({ id: question.id, value }));
});

function answer(question: Ask): unknown {
  switch (question.about) {
    case 'endpoint':
      return BrowserWindow.endpoint;
    case 'state':
      return {
        sandboxed: app.sandboxed,
        schemes,
        menu,
        asked,
        windows: [...browserWindows].map(({ options }) => options),
        permissions: session.defaultSession.refusesPermissions(),
      };
    case 'invoke':
      return handlers.get('contract')?.({ senderFrame: question.frame }, question.call);
    case 'choose':
      chosen.push(...question.files);
      return undefined;
    case 'quit':
      app.quit();
      return undefined;
  }
}
