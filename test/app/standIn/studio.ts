import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import sharp from 'sharp';
import { build } from 'vite';
import { WebSocketServer } from 'ws';
import {
  requests,
  type EventName,
  type Payload,
  type RequestName,
} from '../../../src-shared/contract/index.ts';
import { callSchema, socketPath } from '../../../src-shared/contract/wire.ts';
import { settingsSchema } from '../../../src-shared/domain/settings.ts';
import { answersOf, type Library } from './answers.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const bundle = path.join(root, 'dist/renderer');
const photos = path.join(root, 'resources/sample-subject');

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'";
const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** A studio without engine and database: the real window, a contract that answers from data, pictures from the sample. */
export interface StandIn {
  readonly url: string;
  /** Requests that had no answer or the wrong shape, either way. */
  readonly faults: readonly string[];
  readonly tell: <N extends EventName>(event: N, payload: Payload<N>) => void;
  readonly close: () => Promise<void>;
}

export async function standIn({ images = 128, fresh = false } = {}): Promise<StandIn> {
  await buildRenderer();
  const library: Library = { images, fresh, settings: settingsSchema.parse({ tourDone: !fresh }) };
  const answers = answersOf(library);
  const faults: string[] = [];
  const server = http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname.startsWith('/files/')) {
      void picture(pathname, Number(searchParams.get('w') ?? 512)).then((bytes) =>
        response.writeHead(200, { 'content-type': 'image/webp', 'cache-control': 'max-age=3600' }).end(bytes),
      );
      return;
    }
    const file = path.join(bundle, pathname === '/' ? 'index.html' : pathname);
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const type = types[path.extname(file)] ?? 'application/octet-stream';
    response
      .writeHead(200, { 'content-type': type, 'content-security-policy': policy })
      .end(readFileSync(file));
  });
  const sockets = new WebSocketServer({ server, path: socketPath });
  sockets.on('connection', (socket) => {
    socket.on('message', (text: Buffer) => {
      const { id, request, input } = callSchema.parse(JSON.parse(text.toString()));
      const name = request as RequestName;
      try {
        const { input: taken, output: given } = requests[name];
        const answer = answers[name] as ((input: unknown) => unknown) | undefined;
        if (!answer) throw new Error('has no answer here');
        const output = given.parse(answer(taken.parse(input)));
        socket.send(JSON.stringify({ id, reply: { ok: true, output } }));
      } catch (error) {
        const message = `${name}: ${error instanceof Error ? error.message : String(error)}`;
        faults.push(message);
        socket.send(JSON.stringify({ id, reply: { ok: false, error: { code: 'internal', message } } }));
      }
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    faults,
    tell: (event, payload) => {
      for (const socket of sockets.clients) socket.send(JSON.stringify({ event, payload }));
    },
    close: () =>
      new Promise((closed) => {
        for (const socket of sockets.clients) socket.terminate();
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
}

const cache = new Map<string, Promise<Buffer>>();

/** One of the sample's photos, in another colour for each picture. */
function picture(name: string, width: number): Promise<Buffer> {
  const number = Number(name.split('/')[3] ?? 0) + (3 * Number(name.split('/')[4] ?? 0)) / 100;
  const plain = name.startsWith('/files/photo');
  const kind = plain ? number - 1 : number % 25;
  const key = `${kind}-${width}-${plain ? 'photo' : 'picture'}`;
  const known = cache.get(key);
  if (known) return known;
  const file = path.join(photos, `0${Math.floor(kind) % 5}.jpg`);
  const tinted = plain ? sharp(file) : sharp(file).modulate({ hue: Math.floor(kind / 5) * 72 });
  const made = tinted.resize(width).webp().toBuffer();
  cache.set(key, made);
  return made;
}

/** Builds the window where its sources are newer than what was built. */
async function buildRenderer(): Promise<void> {
  const built = path.join(bundle, 'index.html');
  const sources = ['src-renderer', 'src-shared'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      path.join(root, folder, name),
    ),
  );
  const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs));
  if (existsSync(built) && statSync(built).mtimeMs > newest) return;
  await build({ configFile: path.join(root, 'src-renderer/vite.config.ts') });
}
