import { graphicsDevices } from '../../runtime/graphicsDevice.ts';
import { leaves } from '../../graph/graph.ts';
import type { CompileOptions } from '../../runtime/session.ts';
import type { LossOptions } from '../loss/gradients.ts';
import { stepMemory } from './stepMemory.ts';

/** Share of a device's memory that one program may count on. */
const share = 0.9;

/** How a step is taken on a WebGPU device. */
export interface DeviceFit {
  /** Blocks are computed twice. */
  readonly frugal: boolean;
  readonly bufferCache: NonNullable<CompileOptions['bufferCache']>;
}

/** What needs the least memory. */
export const tightest: DeviceFit = { frugal: true, bufferCache: 'lazyRelease' };

/**
 * How a step fits into `memory` bytes of a device, by simulation; of the largest device here when left out. Buffers that are kept from
 * value to value save time where there is room for them; without room for all that the backward pass needs, blocks are computed twice.
 */
export async function deviceFit(options: LossOptions, memory?: number): Promise<DeviceFit> {
  const own = memory ?? (await graphicsDevices())[0]?.memory;
  if (own === undefined) return { frugal: false, bufferCache: 'simple' };
  const trained = new Set(options.trained);
  const frozen = [...leaves({ outputs: { loss: options.loss } }, 'parameter').keys()].find(
    (name) => !trained.has(name),
  );
  const stored = frozen === undefined ? undefined : options.weights(frozen);
  const { held, pending, cached } = stepMemory(options, 'webgpu', stored?.dtype);
  const fits = (bytes: number): boolean => held + bytes <= share * own;
  if (fits(cached)) return { frugal: false, bufferCache: 'simple' };
  return fits(pending) || !options.between ? { frugal: false, bufferCache: 'lazyRelease' } : tightest;
}
