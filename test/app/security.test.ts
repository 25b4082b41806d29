import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserProgram, noBrowser } from './browser.ts';
import { electronProgram, launchApp, type App, type AppState } from './launchApp.ts';
import { pictures } from '../pictureRequest.ts';
import { buildStudio, newLibrary, removeLibraries } from './served.ts';

/** Electron's security checklist (electronjs.org/docs/latest/tutorial/security), item by item, in its order. */
const possible = electronProgram ?? browserProgram;

/** What only the stand-in can be asked: what the app set. Electron itself is judged by what the page can do. */
const inStandIn = it.skipIf(electronProgram !== undefined);

describe.skipIf(!possible)(`the app’s shell${possible ? '' : ` (${noBrowser})`}`, () => {
  let app: App;
  let page: Page;
  let home = '';

  beforeAll(async () => {
    buildStudio();
    const library = newLibrary();
    app = await launchApp(library, path.join(path.dirname(library), 'cache'));
    page = app.page;
    await page.getByRole('button', { name: 'Try it with a potted plant' }).waitFor({ timeout: 300_000 });
    home = page.url();
  }, 600_000);

  afterAll(async () => {
    await app.close();
    removeLibraries();
  }, 120_000);

  const state = async (): Promise<AppState> => (await app.ask?.({ about: 'state' })) as AppState;
  const preferences = async (): Promise<Readonly<Record<string, unknown>>> =>
    (await state()).windows[0]?.webPreferences ?? {};

  /** What the page is told when it runs `code`, which is an expression. */
  const inPage = <T>(code: string): Promise<T> => page.evaluate<T>(code);

  inStandIn('1, 18: loads only what comes with it, and not from file: or http:', async () => {
    expect(home).not.toMatch(/^(file|http):/);
    const resources = await inPage<string[]>(
      "performance.getEntriesByType('resource').map(({ name }) => new URL(name).origin)",
    );
    expect(new Set(resources)).toEqual(new Set([new URL(home).origin]));
    const { schemes } = await state();
    expect(schemes).toEqual([
      { scheme: 'likeness', privileges: { standard: true, secure: true, supportFetchAPI: true } },
    ]);
    expect(await inPage('isSecureContext')).toBe(true);
  });

  inStandIn('2: gives the page nothing of Node', async () => {
    const { nodeIntegration, nodeIntegrationInWorker, nodeIntegrationInSubFrames } = await preferences();
    expect([nodeIntegration, nodeIntegrationInWorker, nodeIntegrationInSubFrames]).toEqual([
      false,
      false,
      false,
    ]);
    expect(
      await inPage(
        "['require', 'process', 'module', 'Buffer', 'global', '__dirname'].filter((name) => name in window)",
      ),
    ).toEqual([]);
  });

  inStandIn('3, 20: isolates the page, and gives it three functions and nothing of Electron', async () => {
    expect((await preferences())['contextIsolation']).toBe(true);
    expect(
      await inPage('Object.entries(window.likeness).map(([name, value]) => [name, typeof value])'),
    ).toEqual([
      ['request', 'function'],
      ['listen', 'function'],
      ['pathOf', 'function'],
    ]);
    const changed = `(() => { try { window.likeness.request = 1; window.likeness = {}; } catch {} return typeof window.likeness.request })()`;
    expect(await inPage(changed)).toBe('function');
    // The listener's first word would be Electron's event, with the sender in it.
    expect(await inPage('String(window.likeness.request) + String(window.likeness.listen)')).not.toContain(
      'ipcRenderer',
    );
    expect(await inPage("'ipcRenderer' in window || 'electron' in window")).toBe(false);
  });

  it('3: lets the page ask for what the contract has and nothing else', async () => {
    expect(await inPage("window.likeness.request('settings.get', {}).then(({ ok }) => ok)")).toBe(true);
    const refused = (request: string, input: string): Promise<string> =>
      inPage(`window.likeness.request(${request}, ${input}).then(({ ok, error }) => ok || error.code)`);
    expect(await refused("'no.such'", '{}')).toBe('request.unknown');
    expect(await refused("'constructor'", '{}')).toBe('request.unknown');
    expect(await refused("'subjects.get'", "{ id: '../..' }")).toBe('request.invalid');
    expect(await refused('{}', 'null')).toBe('request.unknown');
  });

  inStandIn('4: sandboxes every page', async () => {
    expect((await preferences())['sandbox']).toBe(true);
    expect((await state()).sandboxed).toBe(true);
  });

  inStandIn('5: refuses every permission', async () => {
    expect((await state()).permissions).toEqual({ request: true, check: true });
    const names = ['camera', 'clipboard-read', 'geolocation', 'microphone', 'midi', 'notifications'];
    for (const name of names)
      expect(
        await inPage(`navigator.permissions.query({ name: '${name}' }).then(({ state }) => state)`),
        name,
      ).not.toBe('granted');
    expect(
      await inPage(
        "new Promise((told) => navigator.geolocation.getCurrentPosition(() => told('found'), ({ code }) => told(code)))",
      ),
    ).toBe(1);
  });

  inStandIn('6, 8, 9, 10: keeps web security on, and nothing experimental', async () => {
    expect(await preferences()).toMatchObject({
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
    });
    expect(await preferences()).not.toHaveProperty('enableBlinkFeatures');
  });

  it('7: sends a policy without unsafe-…, and the page obeys it', async () => {
    const policy = await inPage<string>(
      "fetch('/').then(({ headers }) => headers.get('content-security-policy'))",
    );
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    const inline = `(() => {
      const script = document.createElement('script');
      script.textContent = 'window.ranInline = true';
      document.body.append(script);
      return window.ranInline === true;
    })()`;
    expect(await inPage(inline)).toBe(false);
    const evaluated = `new Promise((done) => {
      addEventListener('securitypolicyviolation', ({ violatedDirective }) => done(violatedDirective), { once: true });
      const image = new Image();
      image.src = 'https://elsewhere.test/x.png';
    })`;
    expect(await inPage(evaluated)).toBe('img-src');
  });

  inStandIn('11, 12: has no webview', async () => {
    expect((await preferences())['webviewTag']).toBe(false);
    expect(await inPage("typeof document.createElement('webview').loadURL")).toBe('undefined');
  });

  it('13: goes to no other page', async () => {
    for (const where of ['https://elsewhere.test/', 'file:///etc/passwd', 'http://127.0.0.1:9/']) {
      await inPage(`void (location.href = '${where}')`);
      await page.waitForTimeout(300);
      expect(page.url()).toBe(home);
    }
    expect(await inPage('typeof window.likeness.request')).toBe('function');
  });

  it('13: shows no other page in a frame', async () => {
    const framed = `(() => {
      const frame = document.createElement('iframe');
      frame.src = 'https://elsewhere.test/';
      document.body.append(frame);
    })()`;
    await inPage(framed);
    await page.waitForTimeout(300);
    const own = new URL(home).origin;
    for (const frame of page.frames())
      expect([own, 'null']).toContain(new URL(frame.url() || 'about:blank').origin);
    await inPage("document.querySelector('iframe').remove()");
  });

  it('14: opens no window', async () => {
    await inPage("void window.open('https://elsewhere.test/')");
    await inPage("void window.open('/')");
    await page.waitForTimeout(500);
    expect(page.context().pages()).toHaveLength(1);
  });

  inStandIn('15: hands no address to the system', async () => {
    await inPage("void (location.href = 'mailto:x@elsewhere.test')");
    await page.waitForTimeout(200);
    expect((await state()).asked).toEqual([]);
  });

  inStandIn('17: answers no other page', async () => {
    const call = { request: 'settings.get', input: {} };
    const from = async (url: string, parent: object | null = null): Promise<unknown> =>
      app.ask?.({ about: 'invoke', frame: { url, parent }, call });
    expect(await from('likeness://studio/#/gallery')).toMatchObject({ ok: true });
    const refusal = { ok: false, error: { code: 'request.refused' } };
    for (const url of [
      'https://elsewhere.test/',
      'file:///x',
      'likeness://studio.evil/',
      'likeness://other/',
      'about:blank',
      '',
    ])
      expect(await from(url), url).toMatchObject(refusal);
    expect(await from('likeness://studio/', {}), 'a frame in the page').toMatchObject(refusal);
  });

  it('asks nobody: every request to elsewhere is refused', async () => {
    for (const url of ['https://elsewhere.test/', 'http://127.0.0.1:9/', 'file:///etc/passwd'])
      expect(await inPage(`fetch('${url}').then(() => 'answered', () => 'refused')`)).toBe('refused');
    const socket = `new Promise((done) => {
      try {
        const socket = new WebSocket('ws://127.0.0.1:9/');
        socket.onopen = () => done('open');
        socket.onerror = () => done('refused');
      } catch { done('refused'); }
    })`;
    expect(await inPage(socket)).toBe('refused');
  });

  it('serves nothing above the window and the library', async () => {
    for (const address of [
      '/..%2f..%2fpackage.json',
      '/%2e%2e/main.js',
      '/files/image/../../x.png',
      '/files/image/1',
      '/%zz.js',
    ])
      expect(await inPage(`fetch('${address}').then(({ status }) => status)`), address).toBe(404);
  });

  it('computes in a process of its own, and tells the page', { timeout: 300_000 }, async () => {
    const made = `new Promise((done) => {
      window.likeness.listen((event, payload) => {
        if (event === 'generation.image') done(payload.image.prompt);
        if (event === 'jobs.changed' && payload.state === 'failed') done(payload.error.message);
      });
      window.likeness.request('generation.start', ${JSON.stringify(pictures({ prompts: ['a red mug'], steps: 1 }))}).then(({ ok, error }) => ok || done(error.message));
    })`;
    expect(await inPage(made)).toBe('a red mug');
  });
});
