import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { getFromHub, listHubFiles } from '../../../src-main/features/download/hub.ts';
import { hubLogin } from '../../../src-main/features/download/login.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** The address of a Hub that answers so. */
async function serve(answer: RequestListener): Promise<string> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What is said of a repository on it. */
async function saidOf(answer: RequestListener, login?: string): Promise<string> {
  const hub = await serve(answer);
  return listHubFiles(hub, 'someone/something', 'main', AbortSignal.timeout(20_000), login).then(
    () => 'no error',
    (error: unknown) => String(error),
  );
}

it('a page of the network that wants a login first is called that', async () => {
  expect(await saidOf((_, response) => response.end('<!DOCTYPE html><title>Sign in</title>'))).toMatch(
    /someone\/something.*web page.*sign in to this network/,
  );
});

it('what is no Hub is called that', async () => {
  expect(await saidOf((_, response) => response.end('{"sha": 7}'))).toMatch(/not a Hub.*HF_ENDPOINT/);
  expect(await saidOf((_, response) => response.end('hello'))).toMatch(/not a Hub.*HF_ENDPOINT/);
});

it('401 may mean that the name does not exist, and then there is nothing to resume', async () => {
  const said = await saidOf((_, response) => response.writeHead(401).end());
  expect(said).toMatch(/no such repository.*login.*check the name/);
  expect(said).not.toMatch(/resume/);
});

it('an answer without end is not read to its end', async () => {
  const piece = Buffer.alloc(1 << 20, ' ');
  const said = await saidOf((_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    more();
  });
  expect(said).toMatch(/far too long/);
});

/** The Hub's own answers, by its `X-Error-Code`. */
const refusing =
  (status: number, code?: string): RequestListener =>
  (_, response) =>
    response.writeHead(status, code === undefined ? {} : { 'x-error-code': code }).end();

it.each([
  [401, 'RepoNotFound', undefined, /no such repository, or it is private.*--login/],
  [401, 'RepoNotFound', 'mine', /no such repository, or your login does not reach it/],
  [404, 'RevisionNotFound', undefined, /no such branch/],
  [401, 'GatedRepo', undefined, /consent.*accept the terms.*--login/],
  [403, 'GatedRepo', 'mine', /consent.*accept the terms with this login/],
  [401, undefined, 'mine', /does not know this login.*hf auth login/],
  [418, undefined, undefined, /answered 418/],
] as const)('%i %s with login %s is said in words', async (status, code, login, words) => {
  expect(await saidOf(refusing(status, code), login)).toMatch(words);
});

it('whoever must log in is told for which repository', async () => {
  const hub = await serve(refusing(401, 'GatedRepo'));
  const place = `${hub}/someone/something/resolve/main/vae/a.bin`;
  await expect(getFromHub(place, 'vae/a.bin', AbortSignal.timeout(20_000))).rejects.toMatchObject({
    code: 'download.wantsConsent',
    details: { file: 'vae/a.bin', id: 'someone/something' },
  });
});

describe('a login', () => {
  const asked: { host: string | undefined; authorization: string | undefined }[] = [];
  const servers: Server[] = [];
  async function listen(answer: RequestListener): Promise<string> {
    const made = createServer((request, response) => {
      const { host, authorization } = request.headers;
      asked.push({ host, authorization });
      answer(request, response);
    });
    servers.push(made);
    await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(made.address() as AddressInfo).port}`;
  }
  afterEach(() => {
    asked.length = 0;
    vi.unstubAllEnvs();
    for (const each of servers.splice(0)) each.close();
  });

  it('goes to the Hub, and not where the Hub sends on', async () => {
    const elsewhere = await listen((_, response) => response.end('weights'));
    const hub = await listen((_, response) =>
      response.writeHead(302, { location: `${elsewhere}/blob` }).end(),
    );
    const answer = await getFromHub(`${hub}/file`, 'file', AbortSignal.timeout(20_000), { login: 'mine' });
    expect(await answer.text()).toBe('weights');
    expect(asked.map(({ authorization }) => authorization)).toEqual(['Bearer mine', undefined]);
  });

  it('is not sent unless a person says so, nor without encryption', async () => {
    vi.stubEnv('HF_TOKEN', 'mine');
    const hub = await listen((_, response) => response.end('weights'));
    await getFromHub(`${hub}/file`, 'file', AbortSignal.timeout(20_000));
    expect(asked[0]?.authorization).toBeUndefined();
    const open = getFromHub('http://hub.example/file', 'file', AbortSignal.timeout(20_000), {
      login: 'mine',
    });
    await expect(open).rejects.toMatchObject({ code: 'download.openLogin' });
  });

  it('is found where the tools of the Hub keep it', () => {
    const home = mkdtempSync(path.join(tmpdir(), 'likeness-login-'));
    for (const name of ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'HF_TOKEN_PATH']) vi.stubEnv(name, undefined);
    vi.stubEnv('HF_HOME', home);
    expect(hubLogin).toThrow(/no Hub login.*hf auth login/);
    writeFileSync(path.join(home, 'token'), 'of the file\n');
    expect(hubLogin()).toBe('of the file');
    vi.stubEnv('HF_TOKEN', 'of the environment');
    expect(hubLogin()).toBe('of the environment');
  });
});
