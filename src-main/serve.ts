import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { problem } from '../src-shared/messages/index.ts';
import type { Shell, Shipped } from './studio/context.ts';
import { fileHeaders, type FileAnswer } from './ipc/fileAnswer.ts';
import { pictureFile, rendererFile } from './ipc/files.ts';
import { Guard } from './ipc/guard.ts';
import { securityHeaders } from './ipc/headers.ts';
import { libraryFiles } from './ipc/libraryFiles.ts';
import { refusedPage } from './ipc/refusedPage.ts';
import { Sessions } from './ipc/sessions.ts';
import { serveContract } from './ipc/socket.ts';
import { systemTrash } from './ipc/systemTrash.ts';
import { untilOpen } from './ipc/untilOpen.ts';
import { nodeWorkers } from './jobs/workerProcess.ts';
import { cacheFolder, computingEnvironment } from './places.ts';
import { openStudio } from './studio/studio.ts';

export interface ServeOptions {
  readonly folder: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly host: string;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly shipped: Shipped;
  /** The bundles: `renderer/` and `worker.js`. */
  readonly dist: string;
}

export interface Served {
  /** The address to open, with its token. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

const loopback = ['127.0.0.1', 'localhost', '::1'];

/**
 * Serves the studio to a browser, by default only on this machine, and only with the token. Errors: `serve.…`, those of
 * `openStudio`.
 */
export async function serve({ folder, port, host, tls, shipped, dist }: ServeOptions): Promise<Served> {
  if (!loopback.includes(host) && !tls) throw problem('serve.host', { host });
  const renderer = path.join(dist, 'renderer');
  if (!existsSync(path.join(renderer, 'index.html'))) throw problem('serve.notBuilt', { folder: renderer });

  const server = tls
    ? https.createServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) })
    : http.createServer();
  const sessions = new Sessions(sessionFile(folder, host));
  const handOn = untilOpen(server);
  await listenWhereLast(server, port, host, sessions.lastPort);
  const { port: opened } = server.address() as AddressInfo;
  const names = loopback.includes(host) ? ['127.0.0.1', 'localhost', '[::1]'] : [host];
  const hosts = names.map((name) => `${name}:${opened}`);
  const guard = new Guard(hosts, opened, tls !== undefined, sessions);

  const studio = await openStudio({
    folder,
    shipped,
    shell: browserShell,
    startWorker: nodeWorkers(path.join(dist, 'worker.js'), computingEnvironment),
  }).catch((error: unknown) => {
    server.close();
    server.closeAllConnections();
    throw error;
  });
  // Only once this studio has the library: another one may have it, and its tabs.
  sessions.listensAt(opened);
  const pictures = libraryFiles(
    studio.library,
    path.join(cacheFolder(), 'thumbnails', studio.library.folder.name),
  );

  const send = (response: http.ServerResponse, answer: FileAnswer): void => {
    response.writeHead(answer.status, { ...securityHeaders(''), ...fileHeaders(answer) });
    if (typeof answer.body === 'string' || Buffer.isBuffer(answer.body)) response.end(answer.body);
    else answer.body.on('error', () => response.destroy()).pipe(response);
  };
  const refuse = (response: http.ServerResponse, why: string): void => {
    const { headers, body } = refusedPage(why);
    response.writeHead(403, headers).end(body);
  };
  server.on('request', (request, response) => {
    const url = new URL(request.url ?? '/', 'http://studio');
    if (url.pathname === '/' && guard.admits(request, url)) {
      response
        .writeHead(303, { ...securityHeaders(''), 'Set-Cookie': guard.newCookie(), Location: '/' })
        .end();
      return;
    }
    const why = guard.refusal(request);
    if (why !== undefined) {
      refuse(response, why);
      return;
    }
    if (url.pathname.startsWith('/files/'))
      pictureFile(pictures, url.pathname, url.searchParams.get('w'))
        .then((answer) => send(response, answer))
        .catch(() => response.writeHead(404).end());
    else send(response, rendererFile(renderer, url.pathname, request.headers['accept-encoding'] ?? ''));
  });
  const contract = serveContract(server, guard, studio.handlers, studio.listen);
  handOn();

  const shown = host === '::1' ? '[::1]' : host;
  return {
    url: `${tls ? 'https' : 'http'}://${shown}:${opened}/?token=${guard.token}`,
    close: async () => {
      contract.close();
      server.close();
      server.closeAllConnections();
      await studio.close();
    },
  };
}

const browserShell: Shell = {
  kind: 'browser',
  reveal: () => Promise.reject(problem('request.onlyApp', {})),
  browse: () => Promise.reject(problem('request.onlyApp', {})),
  trash: systemTrash,
};

/** In the person's own files, not in the library, which may be copied and shared. */
function sessionFile(library: string, host: string): string {
  const own = createHash('sha256')
    .update(`${path.resolve(library)}\n${host}`)
    .digest('hex')
    .slice(0, 32);
  return path.join(cacheFolder(), 'sessions', `${own}.json`);
}

/** If any port will do, the last one is tried first: open tabs look for the studio there. */
async function listenWhereLast(
  server: http.Server,
  port: number,
  host: string,
  last?: number,
): Promise<void> {
  if (port === 0 && last !== undefined)
    try {
      await listen(server, last, host);
      return;
    } catch {
      // Another program has it now.
    }
  await listen(server, port, host);
}

async function listen(server: http.Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      reject(problem('serve.port', { port, why: error.code ?? error.message }, error));
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      resolve();
    });
  });
}
