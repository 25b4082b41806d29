import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

/** What a test lets go wrong, by a file's end. */
export interface Trouble {
  /** Ends the connection after so many bytes, so many times; `arrived` says that the file has this size at the other end. */
  cut?: { file: string; after: number; times: number; arrived: (size: number) => boolean };
  /** Sends other bytes than were listed. */
  changed?: string;
  /** Answers with this status so many times, asking to wait no second. */
  busy?: { file: string; status: number; times: number };
  /** Sends slowly: bytes a turn of 20 ms. */
  slow?: { file: string; bytes: number };
}

export interface StandInHub {
  readonly address: string;
  readonly trouble: Trouble;
  /** Each fetched file with the byte it was asked from. */
  readonly asked: { file: string; from: number }[];
  readonly close: () => void;
}

const commit = 'c'.repeat(40);

/** The Hub's three addresses (revision, tree, resolve) over a folder: a model of the fixtures as `test/tiny`. */
export async function standInHub(folder: string): Promise<StandInHub> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(path.join(folder, name)).isFile())
    .map((name) => name.split(path.sep).join('/'));
  const trouble: Trouble = {};
  const asked: { file: string; from: number }[] = [];
  const entry = (file: string): object => {
    const bytes = readFileSync(path.join(folder, file));
    const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
    const lfs = { oid: createHash('sha256').update(bytes).digest('hex'), size: bytes.length };
    // Of a large file the tree lists the size and hash of the bytes, and the hash of a pointer.
    return file.endsWith('.safetensors')
      ? { type: 'file', path: file, size: 130, oid: 'f'.repeat(40), lfs }
      : { type: 'file', path: file, size: bytes.length, oid };
  };
  const server = http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://hub');
    const json = (value: unknown, link?: string): void => {
      response
        .writeHead(200, { 'content-type': 'application/json', ...(link && { link }) })
        .end(JSON.stringify(value));
    };
    if (pathname === '/api/models/test/tiny/revision/main') return json({ sha: commit });
    if (pathname === `/api/models/test/tiny/tree/${commit}`) {
      const half = Math.ceil(files.length / 2);
      const second = searchParams.has('cursor');
      const listed = [
        ...files.slice(second ? half : 0, second ? undefined : half).map(entry),
        { type: 'directory', path: 'unet', oid: '0' },
      ];
      return json(
        listed,
        second
          ? undefined
          : `<http://${request.headers.host}${pathname}?recursive=true&cursor=2>; rel="next"`,
      );
    }
    const file = files.find((name) => pathname === `/test/tiny/resolve/${commit}/${name}`);
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    asked.push({ file, from });
    const { busy } = trouble;
    if (busy && busy.times > 0 && file.endsWith(busy.file)) {
      busy.times--;
      response.writeHead(busy.status, { 'retry-after': '0' }).end();
      return;
    }
    const bytes = readFileSync(path.join(folder, file));
    if (trouble.changed !== undefined && file.endsWith(trouble.changed))
      bytes[bytes.length - 1] = 0xff ^ (bytes.at(-1) ?? 0);
    const rest = bytes.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length });
    const { cut, slow } = trouble;
    if (cut && cut.times > 0 && file.endsWith(cut.file)) {
      cut.times--;
      response.write(rest.subarray(0, cut.after));
      // A client that is busy throws away what it has not read when the connection ends.
      const watch = setInterval(() => {
        if (!response.destroyed && !cut.arrived(from + Math.min(cut.after, rest.length))) return;
        clearInterval(watch);
        response.destroy();
      }, 20);
    } else if (slow && file.endsWith(slow.file)) trickle(response, rest, slow.bytes);
    else response.end(rest);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    trouble,
    asked,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function trickle(response: http.ServerResponse, bytes: Buffer, each: number): void {
  if (response.destroyed) return;
  response.write(bytes.subarray(0, each));
  if (bytes.length <= each) response.end();
  else setTimeout(() => trickle(response, bytes.subarray(each), each), 20);
}
