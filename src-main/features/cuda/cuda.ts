import { createHash } from 'node:crypto';
import { createWriteStream, createReadStream, existsSync, rmSync, symlinkSync } from 'node:fs';
import { copyFile, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { makeRoom, withFile } from '../../engine/checkpoints/files.ts';
import { listZip } from '../../engine/checkpoints/zip.ts';
import { runtimeVersion } from '../../engine/runtime/onnxRuntime.ts';
import { cudaProviderFiles, runtimeFolder } from '../../engine/runtime/runtimeFolder.ts';
import { examine } from '../../engine/runtime/session.ts';
import type { Verdict } from '../../engine/runtime/verdict.ts';
import { cudaFolder, hasCudaPath } from '../../places.ts';
import { fetchFile } from '../download/fetchFile.ts';
import { cudaPackages, cudaRuntimeVersion, type CudaPackage } from './packages.ts';

export interface AddCudaRequest {
  /** What to download; this version's list when left out. */
  readonly packages?: readonly CudaPackage[];
  readonly system?: string;
}

export interface CudaState {
  readonly folder: string;
  /** Names of missing libraries. */
  readonly missing: readonly string[];
}

/**
 * Takes the CUDA provider and the libraries it needs from where LIKENESS_PACKAGES says (an address, or a folder that holds the files),
 * checks their hashes, unpacks them into the cache, and links the provider beside ONNX Runtime, which looks for it there. An interrupted
 * download is continued. Errors: `gpu.…`, those of `fetchFile`.
 */
export async function addCuda(
  { packages = cudaPackages, system = `${process.platform}-${process.arch}` }: AddCudaRequest,
  { report, signal }: JobContext,
): Promise<CudaState> {
  if (system !== 'linux-x64') throw problem('gpu.system', { system });
  if (runtimeVersion !== cudaRuntimeVersion)
    throw problem('gpu.version', { wanted: cudaRuntimeVersion, found: runtimeVersion });
  const source = process.env['LIKENESS_PACKAGES'];
  if (!source)
    throw problem('gpu.noSource', { files: packages.map(({ path }) => basename(path)).join(', ') });
  const folder = cudaFolder();
  const total = packages.reduce((sum, { size }) => sum + size, 0);
  const lacking = packages.filter((one) => missingOf(folder, one).length > 0);
  const toFetch = lacking.reduce((sum, { size }) => sum + size, 0);
  const size = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
  report({
    type: 'note',
    message: `CUDA for ONNX Runtime: ${size(toFetch)} are fetched and about ${size(1.55 * toFetch)} kept in ${folder}; likeness gpu remove cuda deletes them.`,
  });
  // Packages, and what is unpacked from them.
  await makeRoom(folder, 3 * toFetch);
  let before = total - toFetch;
  for (const one of lacking) {
    const file = join(folder, basename(one.path));
    if (existsSync(source)) await takeFile(join(source, basename(one.path)), one, file);
    await fetchFile(
      `${source}/${one.path}`,
      { path: one.name, size: one.size, hash: { kind: 'sha256', value: one.sha256 } },
      file,
      (done) => report({ type: 'progress', done: before + done, total, label: one.name }),
      signal,
    );
    signal.throwIfAborted();
    await unpack(file, one, folder);
    rmSync(file);
    before += one.size;
  }
  await linkProvider(folder);
  return cudaState(packages);
}

/** Removes the provider and deletes what was downloaded. Returns whether there was anything. */
export function removeCuda(): boolean {
  const folder = cudaFolder();
  const links = cudaProviderFiles.map((name) => join(runtimeFolder(), name));
  const there = existsSync(folder) || links.some((link) => existsSync(link));
  for (const link of links) rmSync(link, { force: true });
  rmSync(folder, { recursive: true, force: true });
  return there;
}

/** Which parts of the provider and its libraries are there. */
export function cudaState(packages: readonly CudaPackage[] = cudaPackages): CudaState {
  const folder = cudaFolder();
  return { folder, missing: packages.flatMap((one) => missingOf(folder, one)) };
}

/** Whether the provider works here; undefined in a process that started before it was added, which can't load its libraries. */
export async function cudaVerdict(): Promise<Verdict | undefined> {
  return hasCudaPath() ? examine('cuda') : undefined;
}

function missingOf(folder: string, { libraries }: CudaPackage): string[] {
  return libraries.map((path) => basename(path)).filter((name) => !existsSync(join(folder, name)));
}

/** Copies a package that somebody fetched. Errors: `gpu.noFile`, `download.changed`. */
async function takeFile(source: string, { path, sha256 }: CudaPackage, target: string): Promise<void> {
  if (!existsSync(source)) throw problem('gpu.noFile', { file: source });
  const hash = createHash('sha256');
  await pipeline(createReadStream(source), hash);
  if (hash.digest('hex') !== sha256) throw problem('download.changed', { file: basename(path) });
  await copyFile(source, target);
}

/** Unpacks libraries from a zip one by one; each gets its name when it is complete. */
async function unpack(file: string, { libraries }: CudaPackage, folder: string): Promise<void> {
  const entries = withFile(file, listZip);
  for (const path of libraries) {
    const entry = entries.get(path);
    if (!entry) throw problem('gpu.package', { file, library: path });
    const target = join(folder, basename(path));
    const range = { start: entry.offset, end: entry.offset + entry.packed - 1 };
    const inflate = entry.deflated ? [createInflateRaw()] : [];
    await pipeline([createReadStream(file, range), ...inflate, createWriteStream(`${target}.tmp`)]);
    await rename(`${target}.tmp`, target);
  }
}

/** Makes a link, or a copy where links are refused. */
async function linkProvider(folder: string): Promise<void> {
  for (const name of cudaProviderFiles) {
    const place = join(runtimeFolder(), name);
    rmSync(place, { force: true });
    try {
      symlinkSync(join(folder, name), place);
    } catch {
      await copyFile(join(folder, name), place);
    }
  }
}
