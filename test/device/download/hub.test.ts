import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { listHubFiles } from '../../../src-main/features/download/hub.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** What is said of a repository on a Hub that answers so. */
async function saidOf(answer: RequestListener): Promise<string> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const hub = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return listHubFiles(hub, 'someone/something', 'main', AbortSignal.timeout(20_000)).then(
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
  expect(await saidOf((_, response) => response.end('{"sha": 7}'))).toMatch(/no Hub.*HF_ENDPOINT/);
  expect(await saidOf((_, response) => response.end('hello'))).toMatch(/no Hub.*HF_ENDPOINT/);
});

it('401 may mean that the name does not exist', async () => {
  expect(await saidOf((_, response) => response.writeHead(401).end())).toMatch(
    /no such repository.*login.*check the name/,
  );
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
