import { graphicsDevices } from '../../runtime/graphicsDevice.ts';
import { leaves } from '../../graph/graph.ts';
import type { LossOptions } from '../loss/gradients.ts';
import { stepMemory } from './stepMemory.ts';

/** Share of a device's memory that one program may count on. */
const share = 0.9;

/** Whether a step needs more than `memory` bytes of a WebGPU device, by simulation; of the largest device here when left out. */
export async function isTight(options: LossOptions, memory?: number): Promise<boolean> {
  const own = memory ?? (await graphicsDevices())[0]?.memory;
  if (own === undefined) return false;
  const trained = new Set(options.trained);
  const frozen = [...leaves({ outputs: { loss: options.loss } }, 'parameter').keys()].find(
    (name) => !trained.has(name),
  );
  const stored = frozen === undefined ? undefined : options.weights(frozen);
  const { held, live } = stepMemory(options, 'webgpu', stored?.dtype);
  return held + live > share * own;
}
