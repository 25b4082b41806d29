import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { problem } from '../src-shared/messages/index.ts';
import type { Shell, Shipped } from './studio/context.ts';
import { pictureFile, rendererFile, type FileAnswer } from './ipc/files.ts';
import { Guard } from './ipc/guard.ts';
import { securityHeaders } from './ipc/headers.ts';
import { libraryFiles } from './ipc/libraryFiles.ts';
import { serveContract } from './ipc/socket.ts';
import { systemTrash } from './ipc/systemTrash.ts';
import { nodeWorkers } from './jobs/workerProcess.ts';
import { cacheFolder } from './places.ts';
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
 * Serves the studio to a browser: on the loopback, to who has the token. Errors: `serve.…`, those of `openStudio`.
 */
export async function serve({ folder, port, host, tls, shipped, dist }: ServeOptions): Promise<Served> {
  if (!loopback.includes(host) && !tls) throw problem('serve.host', { host });
  const renderer = path.join(dist, 'renderer');
  if (!existsSync(path.join(renderer, 'index.html'))) throw problem('serve.notBuilt', { folder: renderer });

  const server = tls
    ? https.createServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) })
    : http.createServer();
  await listen(server, port, host);
  const { port: opened } = server.address() as AddressInfo;
  const names = loopback.includes(host) ? ['127.0.0.1', 'localhost', '[::1]'] : [host];
  const guard = new Guard(() => names.map((name) => `${name}:${opened}`), tls !== undefined);

  const studio = await openStudio({
    folder,
    shipped,
    shell: browserShell,
    startWorker: nodeWorkers(path.join(dist, 'worker.js')),
  }).catch((error: unknown) => {
    server.close();
    throw error;
  });
  const pictures = libraryFiles(
    studio.library,
    path.join(cacheFolder(), 'thumbnails', studio.library.folder.name),
  );

  const send = (response: http.ServerResponse, answer: FileAnswer): void => {
    const caching = answer.lasting ? 'private, max-age=31536000, immutable' : 'private, no-cache';
    response.writeHead(answer.status, {
      ...securityHeaders(''),
      'Content-Type': answer.type,
      'Cache-Control': caching,
    });
    if (typeof answer.body === 'string' || Buffer.isBuffer(answer.body)) response.end(answer.body);
    else answer.body.on('error', () => response.destroy()).pipe(response);
  };
  const refuse = (response: http.ServerResponse, why: string): void => {
    response
      .writeHead(403, { ...securityHeaders(''), 'Content-Type': 'text/plain; charset=utf-8' })
      .end(`Refused: ${why}.\n`);
  };
  server.on('request', (request, response) => {
    const url = new URL(request.url ?? '/', 'http://studio');
    if (url.pathname === '/' && guard.admits(request, url)) {
      response.writeHead(303, { ...securityHeaders(''), 'Set-Cookie': guard.cookie, Location: '/' }).end();
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
    else send(response, rendererFile(renderer, url.pathname));
  });
  const contract = serveContract(server, guard, studio.handlers, studio.listen);

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

async function listen(server: http.Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(problem('serve.port', { port, why: error.code ?? error.message }, error)),
    );
    server.listen(port, host, resolve);
  });
}
