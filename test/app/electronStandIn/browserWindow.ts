import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  chromium,
  type BrowserContext,
  type CDPSession,
  type Page,
  type Request,
  type Route,
} from 'playwright-core';
import { browserProgram, browserWords } from '../browser.ts';
import { handlers, type Frame } from './ipcMain.ts';
import { fromChromium, served, session, toChromium } from './session.ts';
import { pageWorld, preloadWorld } from './worlds.ts';

/** What the test asks the app's process. */
export type Ask = { readonly id: number } & (
  | { readonly about: 'endpoint' | 'state' | 'quit' }
  /** What the person chooses in the next of the system's dialogs. */
  | { readonly about: 'choose'; readonly files: readonly string[] }
  | { readonly about: 'invoke'; readonly frame: Frame; readonly call: unknown }
);

interface Options {
  readonly width: number;
  readonly height: number;
  readonly webPreferences: { readonly preload: string } & Readonly<Record<string, unknown>>;
}

type OpenHandler = (details: { url: string }) => { action: 'allow' | 'deny' };

export const browserWindows = new Set<BrowserWindow>();

class WebContents extends EventEmitter {
  openHandler: OpenHandler = () => ({ action: 'allow' });
  transmit: ((channel: string, words: readonly unknown[]) => void) | undefined;

  setWindowOpenHandler(handler: OpenHandler): void {
    this.openHandler = handler;
  }

  send(channel: string, ...words: unknown[]): void {
    this.transmit?.(channel, words);
  }

  /** Whether every listener lets this pass. */
  allows(event: string, url: string): boolean {
    let allowed = true;
    this.emit(event, { url, preventDefault: () => (allowed = false) }, url);
    return allowed;
  }
}

export class BrowserWindow extends EventEmitter {
  static created: (contents: WebContents) => void = () => undefined;
  static allClosed: () => void = () => undefined;
  /** Where a test may look at the window from outside. */
  static endpoint: string | undefined;

  readonly webContents = new WebContents();
  /** Settled once nothing of it is left. */
  closed: Promise<void> = Promise.resolve();
  private readonly opened: Promise<Page>;
  private readonly profile = mkdtempSync(path.join(tmpdir(), 'likeness-window-'));
  private context: BrowserContext | undefined;
  private destroyed = false;
  /** The address that the app itself asked for; other ways to a page are the page's own doing. */
  private loading: string | undefined;

  constructor(readonly options: Options) {
    super();
    browserWindows.add(this);
    BrowserWindow.created(this.webContents);
    this.opened = this.open();
  }

  static getAllWindows(): BrowserWindow[] {
    return [...browserWindows];
  }

  async loadURL(url: string): Promise<void> {
    const page = await this.opened;
    this.loading = url;
    await page.goto(toChromium(url));
    this.loading = undefined;
    this.emit('ready-to-show');
  }

  isDestroyed(): boolean {
    return this.destroyed;
  }

  isMinimized(): boolean {
    return false;
  }

  show(): void {
    // It has no screen to be shown on.
  }

  focus(): void {
    // The same.
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    browserWindows.delete(this);
    const closing = this.context?.close() ?? Promise.resolve();
    this.closed = closing.then(() =>
      rm(this.profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }),
    );
  }

  private async open(): Promise<Page> {
    const { width, height, webPreferences } = this.options;
    const port = await freePort();
    const context = await chromium.launchPersistentContext(this.profile, {
      ...(browserProgram !== undefined && { executablePath: browserProgram }),
      args: [...browserWords, `--remote-debugging-port=${port}`],
      viewport: { width, height },
      timeout: 180_000,
    });
    this.context = context;
    context.once('close', () => {
      this.destroy();
      if (browserWindows.size === 0) BrowserWindow.allClosed();
    });
    await context.grantPermissions(session.defaultSession.granted());
    const page = context.pages()[0] ?? (await context.newPage());
    context.on('page', (other) => {
      const { action } = this.webContents.openHandler({ url: fromChromium(other.url()) });
      if (action === 'deny') void other.close();
    });
    await context.route('**/*', (route) => this.answer(route, page));
    await this.join(await context.newCDPSession(page), webPreferences.preload);
    BrowserWindow.endpoint = `http://127.0.0.1:${port}`;
    return page;
  }

  /** Every request goes by the app: refused, answered by its protocol, or let out. */
  private async answer(route: Route, page: Page): Promise<void> {
    const request = route.request();
    const url = fromChromium(request.url());
    const own = served.get(new URL(url).protocol.slice(0, -1));
    const refused =
      request.isNavigationRequest() && url !== this.loading && !this.mayOpen(request, page, url);
    if (refused || session.defaultSession.cancels(url)) return route.abort('aborted');
    if (!own) return route.continue();
    const response = await own(new globalThis.Request(url, { method: request.method() }));
    await route.fulfill({
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.from(await response.arrayBuffer()),
    });
  }

  /** A page's own way to another address: in a new window, in a frame, or away from where it is. */
  private mayOpen(request: Request, page: Page, url: string): boolean {
    let isMain: boolean;
    try {
      isMain = request.frame() === page.mainFrame();
    } catch {
      // Its window is not there yet.
      return this.webContents.openHandler({ url }).action === 'allow';
    }
    return this.webContents.allows(isMain ? 'will-navigate' : 'will-frame-navigate', url);
  }

  /** The preload script in a world of its own, and the way between it and this process. */
  private async join(devtools: CDPSession, preload: string): Promise<void> {
    const secret = `electron-${randomUUID()}`;
    const worldName = 'preload';
    const binding = `toMain${randomUUID().replaceAll('-', '')}`;
    // What compiled the functions gives their names by a helper of its own.
    const named = 'const __name = (value) => value;';
    const text = (value: unknown): string => JSON.stringify(value ?? null);
    const evaluate = (contextId: number, member: string, words: readonly unknown[]): void => {
      const expression = `globalThis[${text(`${secret}:${member}`)}](${words.map(text).join(', ')})`;
      devtools.send('Runtime.evaluate', { contextId, expression }).catch(() => undefined);
    };
    let current: number | undefined;
    const { frameTree } = await devtools.send('Page.getFrameTree');
    devtools.on('Runtime.executionContextCreated', ({ context }) => {
      // Frames have that world too, and nobody listens in it.
      const { frameId } = context.auxData as { readonly frameId?: string };
      if (context.name === worldName && frameId === frameTree.frame.id) current = context.id;
    });
    devtools.on('Runtime.bindingCalled', ({ payload, executionContextId }) => {
      const { id, channel, words } = JSON.parse(payload) as { id: number; channel: string; words: unknown[] };
      const url = fromChromium(this.pageUrl());
      const handled = handlers.get(channel)?.({ senderFrame: { url, parent: null } }, ...words);
      void Promise.resolve(handled).then((answer) => evaluate(executionContextId, 'answer', [id, answer]));
    });
    this.webContents.transmit = (channel, words) => {
      if (current !== undefined) evaluate(current, 'send', [channel, words]);
    };
    await devtools.send('Runtime.enable');
    await devtools.send('Page.enable');
    await devtools.send('Runtime.addBinding', { name: binding, executionContextName: worldName });
    await devtools.send('Page.addScriptToEvaluateOnNewDocument', {
      source: `{${named}(${pageWorld.toString()})(${text(secret)})}`,
    });
    await devtools.send('Page.addScriptToEvaluateOnNewDocument', {
      worldName,
      source: `{${named}(${preloadWorld.toString()})(${text(secret)}, ${text(binding)}, (require) => {
        ${readFileSync(preload, 'utf8')}
      })}`,
    });
  }

  private pageUrl(): string {
    return this.context?.pages()[0]?.url() ?? 'about:blank';
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
