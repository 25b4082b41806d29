import { leaves, type Graph } from '../../graph/graph.ts';
import { inPrecision } from '../../graph/mixedPrecision.ts';
import { memoryOf, type DeviceTarget } from '../../onnx/deviceMemory.ts';
import type { GraphMemory } from '../../onnx/liveness.ts';
import { graphicsDevices } from '../../runtime/graphicsDevice.ts';
import { keptAs } from '../../runtime/weightsOnWebGpu.ts';
import type { DType } from '../../tensor/tensor.ts';
import type { LossOptions } from './gradients.ts';
import { stepMemory } from './stepMemory.ts';

/** A way to compute a loss and its gradients. */
export interface Way {
  /** A batch's rows are taken one at a time. */
  readonly oneRow: boolean;
  /** Blocks are computed twice, so that less is kept for the backward pass. */
  readonly frugal: boolean;
}

/** Share of a device's memory that one program may count on. */
export const share = 0.9;
/**
 * Share up to which a batch is taken whole. Row by row it takes half as much for little more time; the screen and other programs get the
 * rest, and what a simulation is too low by.
 */
const shareOfBatch = 0.5;

/** The ways to compute a loss, all of which learn the same; each asks for less memory than the one before, and for more time. */
export function waysOf({ between, byRow, frugal = false }: LossOptions): [Way, ...Way[]] {
  const oneRow = byRow !== undefined;
  return [
    { oneRow: false, frugal },
    ...(oneRow ? [{ oneRow, frugal }] : []),
    ...(between && !frugal ? [{ oneRow, frugal: true }] : []),
  ];
}

/** `waysOf`, from the first on that fits into `memory` bytes of a WebGPU device by simulation (of the largest device here when left out); else the last. */
export async function waysThatFit(loss: LossOptions, memory?: number): Promise<[Way, ...Way[]]> {
  const [first, ...others] = waysOf(loss);
  const own = memory ?? (await graphicsDevices())[0]?.memory;
  if (own === undefined) return [first, ...others];
  let ways: [Way, ...Way[]] = [first, ...others];
  for (let [, second, ...rest] = ways; second; [, second, ...rest] = ways) {
    const most = second.oneRow && !ways[0].oneRow ? shareOfBatch : share;
    const bytes = await bytesOf(loss, ways[0], 'webgpu');
    // In 16 bits a step keeps so little that whole blocks, computed again, may take more.
    if (bytes <= most * own || (await bytesOf(loss, second, 'webgpu')) >= bytes) break;
    ways = [second, ...rest];
  }
  return ways;
}

/** Bytes that a device takes for a loss computed in a way, and for what lies beside it, by simulation. */
export async function bytesOf(
  loss: LossOptions,
  { oneRow, frugal }: Way,
  target: DeviceTarget,
): Promise<number> {
  const trained = new Set(loss.trained);
  const { precision = 'f32', computes = precision } = loss;
  const taken = (oneRow ? loss.byRow?.().options : undefined) ?? loss;
  const { storedIn } = loss;
  const kept = (type: DType | undefined): Promise<DType | undefined> =>
    target === 'webgpu' ? keptAs(type, storedIn) : Promise.resolve(type);
  const frozen = await kept(
    storedType({ outputs: { loss: loss.loss } }, (name) =>
      trained.has(name) ? undefined : loss.weights(name),
    ),
  );
  const step = inAll(stepMemory({ ...taken, frugal, precision, computes }, target, frozen), target);
  const { beside } = taken;
  if (!beside) return step;
  const stored = await kept(storedType(beside.graph, beside.weights));
  const graph = inPrecision(beside.graph, computes);
  return step + inAll(memoryOf(graph, target, { ...(stored && { stored }) }), target);
}

const inAll = ({ held, live, cached }: GraphMemory, target: DeviceTarget): number =>
  held + (target === 'webgpu' ? cached : live);

/** The type of a graph's stored weights: that of the first. */
function storedType(graph: Graph, weights: LossOptions['weights']): DType | undefined {
  for (const name of leaves(graph, 'parameter').keys()) {
    const weight = weights(name);
    if (weight) return weight.dtype;
  }
  return undefined;
}
