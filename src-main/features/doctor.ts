import { existsSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import { graphicsDevices, type GraphicsDevice } from '../engine/runtime/graphicsDevice.ts';
import { matmulSpeed } from '../engine/runtime/matmulSpeed.ts';
import { providers, type Provider } from '../../src-shared/domain/providers.ts';
import { bundledProviders } from '../engine/runtime/providers.ts';
import { automaticProvider, examine } from '../engine/runtime/session.ts';
import { hasCudaPath } from '../places.ts';
import { cudaState } from './cuda/cuda.ts';

/** Sizes in bytes. */
export interface Machine {
  readonly platform: string;
  readonly node: string;
  readonly cpu: { readonly model: string; readonly threads: number; readonly matmulGflops: number };
  readonly memory: { readonly total: number; readonly available: number };
  /** Free bytes of the disk that holds `folder`. */
  readonly disk: { readonly folder: string; readonly free: number };
  readonly providers: Readonly<Record<Provider, ProviderState>>;
  /** What `--provider auto` means here. */
  readonly automatic: Provider;
  readonly graphics: readonly GraphicsDevice[];
}

/** `works`: a small U-Net and its gradients came out on it as on the CPU, `timesCpuSpeed` as fast. */
export type ProviderState =
  | { readonly works: true; readonly timesCpuSpeed?: number; readonly fusedAttention?: boolean }
  | { readonly works: false; readonly why: string };

/** Examines this machine; `folder` is where pictures and runs would go. Takes a few seconds, as each provider is tried. */
export async function examineMachine(folder: string): Promise<Machine> {
  const states: Partial<Record<Provider, ProviderState>> = {};
  for (const provider of providers) states[provider] = await stateOf(provider);
  const { bavail, bsize } = await fs.statfs(folder);
  return {
    platform: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.versions.node,
    cpu: {
      model: os.cpus()[0]?.model.trim() ?? 'unknown',
      threads: os.availableParallelism(),
      matmulGflops: await matmulSpeed(),
    },
    memory: await memory(),
    disk: { folder, free: bavail * bsize },
    providers: states as Record<Provider, ProviderState>,
    automatic: await automaticProvider(),
    graphics: await graphicsDevices(),
  };
}

async function stateOf(provider: Provider): Promise<ProviderState> {
  if (provider === 'cpu') return { works: true };
  const gpu = provider === 'cuda' && ['/dev/nvidiactl', '/dev/dxg'].some((device) => existsSync(device));
  if (!bundledProviders().includes(provider))
    return {
      works: false,
      why: gpu ? cudaToAdd : `not in ONNX Runtime's build for ${process.platform}-${process.arch}`,
    };
  const lacking = provider === 'cuda' ? cudaLacks() : undefined;
  if (lacking !== undefined) return { works: false, why: lacking };
  const verdict = await examine(provider);
  if (verdict.state === 'wrong') {
    const percent = (100 * verdict.error).toPrecision(2);
    return { works: false, why: `it computes wrong numbers here (${percent}% off the CPU's)` };
  }
  if (verdict.state === 'crashed') return { works: false, why: `it crashed: ${verdict.why}` };
  if (verdict.state !== 'right') return { works: false, why: verdict.why };
  const { seconds, cpuSeconds, fusedAttention } = verdict;
  return { works: true, timesCpuSpeed: Number((cpuSeconds / seconds).toPrecision(2)), fusedAttention };
}

const cudaToAdd =
  'there is an NVIDIA card, but its provider is not included; fetch it (1.3 GB) with: likeness gpu add cuda';

/** Drivers of this version know CUDA 13. */
const oldestDriver = 580;

/** What the CUDA provider that was added needs and does not find, by name; undefined where all is there. */
export function cudaLacks(
  missing = cudaState().missing,
  driver = driverVersion(),
  findsLibraries = hasCudaPath(),
): string | undefined {
  if (missing.length > 0) return `it lacks ${missing.join(', ')}; run likeness gpu add cuda again`;
  if (driver === undefined)
    return "it lacks libcuda.so.1, which comes with NVIDIA's driver; install the driver";
  if (driver < oldestDriver)
    return `NVIDIA's driver is ${driver}, and CUDA 13 needs ${oldestDriver} or later; update the driver`;
  return findsLibraries ? undefined : 'it was added after this program started; start it again';
}

/** The major version of NVIDIA's driver for Linux, as its kernel module states it. */
function driverVersion(): number | undefined {
  try {
    const stated = /Module.*?\s(\d+)\.\d/.exec(readFileSync('/proc/driver/nvidia/version', 'utf8'))?.[1];
    return stated === undefined ? undefined : Number(stated);
  } catch {
    // Windows' Linux has its driver elsewhere, and states no version.
    return existsSync('/usr/lib/wsl/lib/libcuda.so.1') ? oldestDriver : undefined;
  }
}

/** Usable memory: a container's limit counts, and the system's caches are free. */
async function memory(): Promise<Machine['memory']> {
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < os.totalmem() ? limit : os.totalmem();
  const meminfo = await fs.readFile('/proc/meminfo', 'utf8').catch(() => '');
  const kilobytes = /^MemAvailable:\s+(\d+)/m.exec(meminfo)?.[1];
  const available = kilobytes === undefined ? os.freemem() : Number(kilobytes) * 1024;
  return { total, available: Math.min(total, available) };
}
