import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import { graphicsDevices, type GraphicsDevice } from '../engine/runtime/graphicsDevice.ts';
import { matmulSpeed } from '../engine/runtime/matmulSpeed.ts';
import { providers, type Provider } from '../../src-shared/domain/providers.ts';
import { bundledProviders } from '../engine/runtime/providers.ts';
import { automaticProvider, examine } from '../engine/runtime/session.ts';

/** Sizes in bytes. */
export interface Machine {
  readonly platform: string;
  readonly node: string;
  readonly cpu: { readonly model: string; readonly threads: number; readonly matmulGflops: number };
  readonly memory: { readonly total: number; readonly available: number };
  /** Of the disk that holds `folder`. */
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
  if (!bundledProviders().includes(provider) && !gpu)
    return { works: false, why: `not in ONNX Runtime's build for ${process.platform}-${process.arch}` };
  const verdict = await examine(provider);
  if (verdict.state === 'wrong') {
    const percent = (100 * verdict.error).toPrecision(2);
    return { works: false, why: `it computes wrong numbers here (${percent} % off the CPU's)` };
  }
  if (verdict.state === 'crashed') return { works: false, why: `it crashed: ${verdict.why}` };
  if (verdict.state !== 'right') return { works: false, why: verdict.why };
  const { seconds, cpuSeconds, fusedAttention } = verdict;
  return { works: true, timesCpuSpeed: Number((cpuSeconds / seconds).toPrecision(2)), fusedAttention };
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
