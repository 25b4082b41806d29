import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import { input, matmul } from '../engine/graph/build.ts';
import { matmulSpeed } from '../engine/runtime/matmulSpeed.ts';
import { providers, type Provider } from '../../src-shared/domain/providers.ts';
import { bundledProviders } from '../engine/runtime/providers.ts';
import { Session } from '../engine/runtime/session.ts';
import { f32 } from '../engine/tensor/tensor.ts';

/** Sizes in bytes. */
export interface Machine {
  readonly platform: string;
  readonly node: string;
  readonly cpu: { readonly model: string; readonly threads: number; readonly matmulGflops: number };
  readonly memory: { readonly total: number; readonly available: number };
  /** Of the disk that holds `folder`. */
  readonly disk: { readonly folder: string; readonly free: number };
  readonly providers: Readonly<Record<Provider, ProviderState>>;
}

/** `works`: a small graph came out right on it. */
export type ProviderState = { readonly works: true } | { readonly works: false; readonly why: string };

/** Looks at this machine; pictures and runs would be written to `folder`. Takes a few seconds: providers are tried, not trusted. */
export async function examineMachine(folder: string): Promise<Machine> {
  const states: Partial<Record<Provider, ProviderState>> = {};
  for (const provider of providers) states[provider] = await tryProvider(provider);
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
  };
}

async function tryProvider(provider: Provider): Promise<ProviderState> {
  const gpu = provider === 'cuda' && ['/dev/nvidiactl', '/dev/dxg'].some((device) => existsSync(device));
  if (!bundledProviders().includes(provider) && !gpu)
    return { works: false, why: `not in ONNX Runtime's build for ${process.platform}-${process.arch}` };
  const a = input('a', [2, 2]);
  try {
    const session = await Session.compile({ outputs: { product: matmul(a, a) } }, { provider });
    const { product } = await session.runHost({ a: f32([2, 2], [1, 2, 3, 4]) });
    await session.dispose();
    const right = product && [7, 10, 15, 22].every((value, place) => Number(product.data[place]) === value);
    return right ? { works: true } : { works: false, why: 'it computes wrong results' };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const message = cause instanceof Error ? cause.message : String(cause);
    // ONNX Runtime puts its own source lines first.
    return { works: false, why: (message.split('\n')[0] ?? message).replace(/^\/.*was false\. /, '') };
  }
}

/** What may be used: containers give less than the machine has, and the system's caches count as free. */
async function memory(): Promise<Machine['memory']> {
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < os.totalmem() ? limit : os.totalmem();
  const meminfo = await fs.readFile('/proc/meminfo', 'utf8').catch(() => '');
  const kilobytes = /^MemAvailable:\s+(\d+)/m.exec(meminfo)?.[1];
  const available = kilobytes === undefined ? os.freemem() : Number(kilobytes) * 1024;
  return { total, available: Math.min(total, available) };
}
