import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { fetchFile } from '../../../src-main/features/download/fetchFile.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-bad-line-'));
afterAll(() => rmSync(scratch, { recursive: true }));
let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const whole = Buffer.from(Array.from({ length: 8000 }, (_, i) => (i * 31) % 251));
const file = {
  path: 'unet/weights.safetensors',
  size: whole.length,
  hash: { kind: 'sha256', value: createHash('sha256').update(whole).digest('hex') },
} as const;

/** Downloads over a line that breaks after the bytes that `lasting` gives for each connection; tells where connections began. */
async function fetchOver(lasting: (connection: number) => number, target: string) {
  const begun: number[] = [];
  server = createServer((request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    begun.push(from);
    const to = Math.min(whole.length, from + lasting(begun.length));
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': whole.length - from });
    response.flushHeaders();
    if (to === whole.length) return response.end(whole.subarray(from));
    response.write(whole.subarray(from, to));
    // Bytes that are still under way would be lost with the line.
    const breakOff = (): void => {
      const there = statSync(`${target}.part`, { throwIfNoEntry: false })?.size ?? 0;
      if (there >= to) response.destroy();
      else setTimeout(breakOff, 20);
    };
    breakOff();
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
  const error: unknown = await fetchFile(
    ...([address, file, target, () => undefined, AbortSignal.timeout(60_000)] as const),
  ).catch((reason: unknown) => reason);
  return { begun, error };
}

it('a download continues however often its line breaks, as long as bytes arrive', async () => {
  // Twice as often as a download is tried where nothing arrives.
  const target = path.join(scratch, 'whole');
  const { begun, error } = await fetchOver(() => 1000, target);
  expect(error).toBeUndefined();
  expect(begun).toEqual([0, 1000, 2000, 3000, 4000, 5000, 6000, 7000]);
  expect(readFileSync(target).equals(whole)).toBe(true);
});

it('one that brings nothing any more is given up, and what arrived is kept', async () => {
  const target = path.join(scratch, 'half');
  const { begun, error } = await fetchOver((connection) => (connection <= 3 ? 1000 : 0), target);
  expect(error).toMatchObject({ code: 'download.failed' });
  expect(begun).toEqual([0, 1000, 2000, 3000, 3000, 3000]);
  expect(statSync(`${target}.part`).size).toBe(3000);
});
