import { graphicsDevices } from '../../runtime/graphicsDevice.ts';
import { leaves } from '../../graph/graph.ts';
import type { LossOptions } from '../loss/gradients.ts';
import { stepMemory } from './stepMemory.ts';

/** A way to take a step. */
export interface Way {
  /** A batch's rows are taken one at a time. */
  readonly oneRow: boolean;
  /** Blocks are computed twice, so that less is kept for the backward pass. */
  readonly frugal: boolean;
}

/** Share of a device's memory that one program may count on. */
const share = 0.9;

/** The ways to take a loss' steps, all of which learn the same; each asks for less memory than the one before, and for more time. */
export function waysOf({ between, byRow, frugal = false }: LossOptions): [Way, ...Way[]] {
  const oneRow = byRow !== undefined;
  return [
    { oneRow: false, frugal },
    ...(oneRow ? [{ oneRow, frugal }] : []),
    ...(between && !frugal ? [{ oneRow, frugal: true }] : []),
  ];
}

/** `waysOf`, from the first on that fits into `memory` bytes of a WebGPU device by simulation (of the largest device here when left out); else the last. */
export async function waysThatFit(loss: LossOptions, memory?: number): Promise<readonly Way[]> {
  const ways = waysOf(loss);
  const own = memory ?? (await graphicsDevices())[0]?.memory;
  if (own === undefined) return ways;
  const trained = new Set(loss.trained);
  const frozen = [...leaves({ outputs: { loss: loss.loss } }, 'parameter').keys()].find(
    (name) => !trained.has(name),
  );
  const stored = frozen === undefined ? undefined : loss.weights(frozen);
  const first = ways.findIndex(({ oneRow, frugal }) => {
    const taken = (oneRow ? loss.byRow?.().options : undefined) ?? loss;
    const { held, cached } = stepMemory({ ...taken, frugal }, 'webgpu', stored?.dtype);
    return held + cached <= share * own;
  });
  return ways.slice(first);
}
