import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import http from 'node:http';
import path from 'node:path';
import WebSocket from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requests } from '../../src-shared/contract/index.ts';
import { messages } from '../../src-shared/messages/index.ts';
import { bundleFolder, shippedFiles } from '../../src-main/shipped.ts';
import { serve, type Served } from '../../src-main/serve.ts';
import { Library } from '../../src-main/storage/library.ts';
import { buildStudio, Client, enter, newLibrary, removeLibraries, serveLibrary } from './served.ts';

const folder = newLibrary();
let studio: Served;
let origin = '';
let cookie = '';

beforeAll(async () => {
  buildStudio();
  studio = await serveLibrary(folder);
  ({ origin, cookie } = await enter(studio.url));
}, 600_000);
afterAll(async () => {
  await studio.close();
  removeLibraries();
});

/** `fetch` does not let Host be set. */
function get(headers: Record<string, string>, address = '/', method = 'GET'): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    http.request({ hostname, port, path: address, method, headers }, resolve).on('error', reject).end();
  });
}

const status = async (...words: Parameters<typeof get>): Promise<number | undefined> =>
  (await get(...words)).resume().statusCode;

function socketStatus(headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/contract`, { headers });
    socket.once('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
    socket.once('error', () => undefined);
  });
}

describe('the served studio', () => {
  it('gives a cookie for the token, and nothing without either', async () => {
    const answer = await fetch(studio.url, { redirect: 'manual' });
    expect(answer.headers.get('set-cookie')).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(answer.headers.get('location')).toBe('/');
    expect(await status({})).toBe(403);
    expect(await status({ cookie: 'likeness=wrong' })).toBe(403);
    expect(await status({}, '/?token=wrong')).toBe(403);
    expect(await status({ cookie })).toBe(200);
  });

  it('refuses other hosts, origins and sites, and everything but reading', async () => {
    const host = new URL(origin).host;
    expect(await status({ cookie, host: 'evil.example' })).toBe(403);
    expect(await status({ host: 'evil.example' }, `/${new URL(studio.url).search}`)).toBe(403);
    expect(await status({ cookie, origin: 'http://evil.example' })).toBe(403);
    expect(await status({ cookie, 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await status({ cookie }, '/', 'POST')).toBe(403);
    expect(await status({ cookie, host })).toBe(200);
    expect(await socketStatus({ cookie })).toBe(403);
    expect(await socketStatus({ cookie, origin: 'http://evil.example' })).toBe(403);
    expect(await socketStatus({ origin })).toBe(403);
    expect(await socketStatus({ cookie, origin })).toBe(101);
  });

  it('answers a page and a socket that come while it opens its library', async () => {
    // It listens where it did the last time, so a page knows where to look.
    const folder = newLibrary();
    const before = await serveLibrary(folder);
    const { host } = new URL(before.url);
    await before.close();
    // A job that goes on waits until the pictures were looked through: that takes a while.
    const library = Library.open(folder);
    library.jobs.add({ kind: 'generate', title: 'cut off', input: null });
    for (let i = 0; i < 200; i++)
      copyFileSync('test/app/screens/mask-light.png', path.join(library.folder.make('pictures'), `${i}.png`));
    library.close();
    const opening = serveLibrary(folder);
    const asked = (async () => {
      for (;;) {
        const answer = await fetch(`http://${host}/`).catch(() => undefined);
        if (answer) return answer.status;
        await new Promise(setImmediate);
      }
    })();
    const knocked = new Promise<number | undefined>((resolve) => {
      const knock = (): void => {
        const socket = new WebSocket(`ws://${host}/contract`);
        socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
        socket.once('error', () => setImmediate(knock));
      };
      knock();
    });
    const early = await opening;
    expect(await asked).toBe(403);
    expect(await knocked).toBe(403);
    await early.close();
  });

  it('sends a policy that lets nothing inline or from elsewhere run', async () => {
    const { headers } = await fetch(origin, { headers: { cookie } });
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('sends the whole window compressed, in at most 300 kB', async () => {
    const load = async (address: string): Promise<Buffer> => {
      const answer = await get({ cookie, 'accept-encoding': 'gzip' }, address);
      expect(answer.headers['content-encoding'], address).toBe('gzip');
      return Buffer.concat(await answer.toArray());
    };
    let bytes = 0;
    const seen = new Set<string>();
    const visit = async (address: string): Promise<void> => {
      if (seen.has(address)) return;
      seen.add(address);
      const small = await load(address);
      bytes += small.length;
      const text = gunzipSync(small).toString();
      for (const [, found = ''] of text.matchAll(/["'`(]\.?\/?((?:assets\/)?[\w.-]+\.(?:js|css))["'`)]/g))
        await visit(`/assets/${found.replace('assets/', '')}`);
    };
    await visit('/');
    expect(seen.size).toBeGreaterThan(3);
    expect(bytes).toBeLessThanOrEqual(300_000);
  });

  it('compresses nothing at a start: the build did, in both encodings', async () => {
    const window = path.join(bundleFolder(), 'renderer');
    const files = readdirSync(path.join(window, 'assets')).filter((name) => /\.(js|css|svg)$/.test(name));
    expect(files.length).toBeGreaterThan(2);
    for (const [encoding, ending] of [
      ['br', '.br'],
      ['gzip', '.gz'],
    ] as const)
      for (const name of ['index.html', ...files.map((file) => `assets/${file}`)]) {
        const answer = await get({ cookie, 'accept-encoding': encoding }, `/${name}`);
        expect(answer.headers['content-encoding'], name).toBe(encoding);
        const sent = Buffer.concat(await answer.toArray());
        expect(sent.equals(readFileSync(path.join(window, name + ending))), name).toBe(true);
        const plain = encoding === 'br' ? brotliDecompressSync(sent) : gunzipSync(sent);
        expect(plain.equals(readFileSync(path.join(window, name))), name).toBe(true);
      }
    const plain = await get({ cookie }, `/assets/${files[0]}`);
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(Buffer.concat(await plain.toArray())).toEqual(
      readFileSync(path.join(window, 'assets', files[0] ?? '')),
    );
  });

  it('serves nothing above the window and the library', async () => {
    for (const address of [
      '/../package.json',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/likeness.js',
      '/files/image/../../x.png',
    ])
      expect(await status({ cookie }, address)).toBe(404);
    for (const address of [
      '/files/image/1',
      '/files/photo/99',
      '/files/sample/1/2',
      '/files/image/1?w=7',
      '/files/x/1',
    ])
      expect(await status({ cookie }, address)).toBe(404);
  });

  it('does not listen beyond this machine without encryption', async () => {
    const options = { folder: newLibrary(), port: 0, shipped: shippedFiles(), dist: bundleFolder() };
    await expect(serve({ ...options, host: '0.0.0.0' })).rejects.toThrow(/--tls-cert/);
  });

  it('tells a second one that the library is open', async () => {
    await expect(serveLibrary(folder)).rejects.toThrow(/open in another Likeness/);
  });
});

describe('5,000 malformed requests', () => {
  it('are each refused with an error of the contract, and touch nothing', async () => {
    const client = await Client.open(studio.url);
    const names = Object.keys(requests);
    let seed = 7;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const junk: unknown[] = [
      ...[
        -1,
        0,
        1.5,
        1e300,
        '',
        '\0',
        '../../../etc/passwd',
        '/etc/passwd',
        'ü'.repeat(500),
        '__proto__',
        true,
      ],
      ...[[], [[]], ['a'], [-1], { id: {} }, { $gt: '' }, { toString: 1 }, { length: 1e9 }],
    ];
    const wrong = (): unknown => junk[random(junk.length)];
    const keys = [
      'id',
      'ids',
      'subjectId',
      'runId',
      'path',
      'paths',
      'name',
      'data',
      'prompts',
      'filter',
      'undo',
      'limit',
    ];
    const valid = (name: string, input: unknown): boolean =>
      Object.hasOwn(requests, name) &&
      requests[name as keyof typeof requests].input.safeParse(input ?? {}).success;
    const before = readdirSync(path.dirname(folder), { recursive: true }).sort();
    const codes = new Set<string>();
    let sent = 0;
    const pending: Promise<void>[] = [];
    while (sent < 5000) {
      const name = random(20) === 0 ? `no.${random(99)}` : (names[random(names.length)] ?? '');
      const fields = Array.from({ length: 1 + random(4) }, () => [keys[random(keys.length)], wrong()]);
      const input: unknown = random(3) === 0 ? wrong() : Object.fromEntries(fields);
      if (valid(name, input)) continue;
      sent++;
      pending.push(
        client.call(name, input).then((reply) => {
          if (reply.ok) throw new Error(`${name} took ${JSON.stringify(input)}`);
          codes.add(reply.error.code);
        }),
      );
    }
    const giant = client.call('projects.create', { name: 'x'.repeat(5_000_000) });
    pending.push(
      giant.then((reply) => {
        expect(reply.ok).toBe(false);
      }),
    );
    await Promise.all(pending);
    for (const code of codes) expect(Object.keys(messages)).toContain(code);
    expect([...codes].sort()).toEqual(['request.invalid', 'request.unknown']);
    expect(readdirSync(path.dirname(folder), { recursive: true }).sort()).toEqual(before);
    expect(await client.ask('projects.list', {})).toHaveLength(1);
    client.close();
  });

  it('numbers of things that are not there are errors, not crashes', async () => {
    const client = await Client.open(studio.url);
    const ids: [string, object][] = [
      ['subjects.get', { id: 999 }],
      ['photos.list', { subjectId: 999 }],
      ['training.run', { id: 999 }],
      ['gallery.detail', { id: 999 }],
      ['jobs.cancel', { id: 999 }],
      ['exports.remove', { id: 999 }],
      ['models.rename', { id: 999, name: 'x' }],
    ];
    for (const [name, input] of ids)
      expect(await client.call(name, input)).toMatchObject({ ok: false, error: { code: 'library.gone' } });
    client.close();
  });
});
