import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bundledProviders, providersToTry } from '../../../src-main/engine/runtime/providers.ts';
import { gpuAdd } from '../../../src-main/cli/commands/gpu.ts';
import { cudaLacks } from '../../../src-main/features/doctor.ts';
import { addCuda, cudaState, removeCuda } from '../../../src-main/features/cuda/cuda.ts';
import { cudaPackages, type CudaPackage } from '../../../src-main/features/cuda/packages.ts';
import { computingEnvironment, cudaFolder, hasCudaPath } from '../../../src-main/places.ts';
import type * as Real from '../../../src-main/engine/runtime/runtimeFolder.ts';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';

// ONNX Runtime's own folder stays as it is.
const runtime = vi.hoisted(() => ({ folder: '' }));
vi.mock('../../../src-main/engine/runtime/runtimeFolder.ts', async (load) => {
  const real = await load<typeof Real>();
  const { existsSync: isThere } = await import('node:fs');
  return {
    ...real,
    runtimeFolder: () => runtime.folder,
    cudaIsAdded: () => real.cudaProviderFiles.every((name) => isThere(`${runtime.folder}/${name}`)),
  };
});

/** A zip of deflated files, as APPNOTE.TXT 4.3 lays it out. */
function zip(files: Readonly<Record<string, Buffer>>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, bytes] of Object.entries(files)) {
    const packed = deflateRawSync(bytes);
    const fields = Buffer.alloc(22);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    const names = Buffer.alloc(4);
    names.writeUInt16LE(name.length, 0);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, names, Buffer.from(name), packed]);
    const more = Buffer.alloc(14);
    more.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\0\0'), fields, names, more, Buffer.from(name)]));
    parts.push(local);
    at += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(directory.length, 4);
  end.writeUInt16LE(directory.length, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...parts, listed, Buffer.from('PK\x05\x06'), end]);
}

/** Bytes that do not shrink. */
const library = (name: string): Buffer =>
  Buffer.concat(Array.from({ length: 300 }, (_, i) => createHash('sha256').update(`${name} ${i}`).digest()));
const contents: Record<string, Buffer> = {
  'a/provider.whl': zip({
    'capi/libonnxruntime_providers_cuda.so': library('cuda'),
    'capi/libonnxruntime_providers_shared.so': library('shared'),
    'capi/other.so': library('other'),
  }),
  'b/blas.whl': zip({ 'lib/libcublas.so.13': library('blas') }),
};
const packageOf = (path: string, libraries: string[]): CudaPackage => ({
  ...{ name: path, path, libraries },
  size: contents[path]?.length ?? 0,
  sha256: createHash('sha256')
    .update(contents[path] as Buffer)
    .digest('hex'),
});
const packages = [
  packageOf('a/provider.whl', [
    'capi/libonnxruntime_providers_cuda.so',
    'capi/libonnxruntime_providers_shared.so',
  ]),
  packageOf('b/blas.whl', ['lib/libcublas.so.13']),
];

let server: Server;
let scratch: string;
let asked: string[];
/** Bytes after which the server hangs up, for the next answer. */
let cutAt: number | undefined;

beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'likeness-cuda-'));
  runtime.folder = join(scratch, 'runtime');
  mkdirSync(runtime.folder);
  asked = [];
  cutAt = undefined;
  server = createServer((request, response) => {
    const path = (request.url ?? '').slice(1);
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    asked.push(`${path} from ${from}`);
    const bytes = contents[path]?.subarray(from) ?? Buffer.alloc(0);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': bytes.length });
    if (cutAt === undefined) return void response.end(bytes);
    const piece = bytes.subarray(0, cutAt);
    cutAt = undefined;
    response.write(piece);
    // Once what was sent is on the disk.
    const part = join(cudaFolder(), `${basename(path)}.part`);
    const waiting = setInterval(() => {
      if ((statSync(part, { throwIfNoEntry: false })?.size ?? 0) < piece.length) return;
      clearInterval(waiting);
      response.destroy();
    }, 20);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('LIKENESS_CACHE', join(scratch, 'cache'));
  vi.stubEnv('LIKENESS_PACKAGES', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(scratch, { recursive: true });
});

const context = (events: JobEvent[] = [], signal = new AbortController().signal) => ({
  report: (event: JobEvent) => void events.push(event),
  signal,
});
const add = (events?: JobEvent[]) => addCuda({ packages, system: 'linux-x64' }, context(events));

describe('likeness gpu add cuda', () => {
  it('asks where the packages are, and takes them from a folder', async () => {
    vi.stubEnv('LIKENESS_PACKAGES', '');
    await expect(add()).rejects.toThrow('holds provider.whl, blas.whl.');
    const folder = join(scratch, 'fetched');
    mkdirSync(folder);
    vi.stubEnv('LIKENESS_PACKAGES', folder);
    writeFileSync(join(folder, 'provider.whl'), contents['a/provider.whl'] as Buffer);
    writeFileSync(join(folder, 'blas.whl'), 'changed');
    await expect(add()).rejects.toMatchObject({ code: 'download.changed' });
    rmSync(join(folder, 'blas.whl'));
    await expect(add()).rejects.toMatchObject({ code: 'gpu.noFile' });
    writeFileSync(join(folder, 'blas.whl'), contents['b/blas.whl'] as Buffer);
    expect(await add()).toEqual({ folder: cudaFolder(), missing: [] });
    expect(asked).toEqual([]);
  });

  it('tells the size first, fetches, unpacks, and puts the provider where ONNX Runtime looks', async () => {
    expect(bundledProviders()).not.toContain('cuda');
    const events: JobEvent[] = [];
    expect(await add(events)).toEqual({ folder: cudaFolder(), missing: [] });
    expect(events[0]).toMatchObject({
      type: 'note',
      message: expect.stringContaining('GB are fetched') as string,
    });
    expect(events.at(-1)).toMatchObject({ type: 'progress', label: 'b/blas.whl' });
    expect(readFileSync(join(cudaFolder(), 'libcublas.so.13'))).toEqual(library('blas'));
    expect(readFileSync(join(runtime.folder, 'libonnxruntime_providers_cuda.so'))).toEqual(library('cuda'));
    // What is not needed is not kept, and neither are the packages.
    for (const name of ['other.so', 'provider.whl', 'blas.whl'])
      expect(existsSync(join(cudaFolder(), name))).toBe(false);
    // `auto` tries it, before the providers that come along.
    expect(providersToTry()[0]).toBe('cuda');
    // The next process finds the libraries.
    expect(hasCudaPath()).toBe(false);
    expect(computingEnvironment()['LD_LIBRARY_PATH']?.split(':')[0]).toBe(cudaFolder());

    asked = [];
    await add();
    expect(asked).toEqual([]);
  });

  it('goes on where the connection broke', async () => {
    cutAt = 1000;
    await add();
    expect(asked).toEqual(['a/provider.whl from 0', 'a/provider.whl from 1000', 'b/blas.whl from 0']);
    expect(cudaState(packages).missing).toEqual([]);
  });

  it('goes on after it was stopped, with what had come', async () => {
    const controller = new AbortController();
    const events: JobEvent[] = [];
    const stopping = {
      ...context(events, controller.signal),
      report: (event: JobEvent) => {
        if (event.type === 'progress' && event.label === 'b/blas.whl') controller.abort(new Error('stopped'));
      },
    };
    await expect(addCuda({ packages, system: 'linux-x64' }, stopping)).rejects.toThrow('stopped');
    expect(cudaState(packages).missing).toEqual(['libcublas.so.13']);
    asked = [];
    await add();
    expect(asked.every((one) => one.startsWith('b/blas.whl'))).toBe(true);
    expect(cudaState(packages).missing).toEqual([]);
  });

  it('keeps nothing whose hash is another', async () => {
    const [first] = packages as [CudaPackage];
    const changed = [{ ...first, sha256: '0'.repeat(64) }];
    await expect(addCuda({ packages: changed, system: 'linux-x64' }, context())).rejects.toMatchObject({
      code: 'download.changed',
    });
    expect(existsSync(join(runtime.folder, 'libonnxruntime_providers_cuda.so'))).toBe(false);
    expect(cudaState(packages).missing).toHaveLength(3);
  });

  it('is for Linux, and says so elsewhere', async () => {
    await expect(addCuda({ packages, system: 'win32-x64' }, context())).rejects.toMatchObject({
      code: 'gpu.system',
    });
    expect(asked).toEqual([]);
  });

  it('is undone by likeness gpu remove cuda', async () => {
    await add();
    expect(removeCuda()).toBe(true);
    expect(existsSync(cudaFolder())).toBe(false);
    expect(bundledProviders()).not.toContain('cuda');
    expect(computingEnvironment()).toBe(process.env);
    expect(removeCuda()).toBe(false);
  });
});

it('the doctor names what is missing', async () => {
  await add();
  rmSync(join(cudaFolder(), 'libcublas.so.13'));
  const { missing } = cudaState(packages);
  expect(cudaLacks(missing, 580, true)).toContain('lacks libcublas.so.13');
  expect(cudaLacks([], undefined, true)).toContain("libcuda.so.1, which comes with NVIDIA's driver");
  expect(cudaLacks([], 550, true)).toContain('580 or later');
  expect(cudaLacks([], 580, false)).toContain('start it again');
  expect(cudaLacks([], 580, true)).toBeUndefined();
});

it('the list names each library once, and its sizes are what is told', () => {
  const libraries = cudaPackages.flatMap((one) => one.libraries);
  expect(new Set(libraries).size).toBe(libraries.length);
  for (const { sha256, path, size } of cudaPackages) {
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(path).toMatch(/^[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f]{60}\/[\w.-]+\.whl$/);
    expect(size).toBeGreaterThan(1e6);
  }
  const fetched = cudaPackages.reduce((sum, { size }) => sum + size, 0);
  expect(gpuAdd.summary).toContain(`(${(fetched / 1e9).toFixed(1)} GB)`);
});
