import { leaves, topological, type Graph } from '../graph/graph.ts';
import { hostPart } from '../graph/hostPart.ts';
import { halfTypeOf } from '../graph/mixedPrecision.ts';
import type { Value } from '../graph/ops.ts';
import { splitKernels } from '../graph/splitKernels.ts';
import { bytesPerElement, elementCount, type DType } from '../tensor/tensor.ts';
import type { Target } from './emitter.ts';
import { graphMemory, type GraphMemory } from './liveness.ts';
import { modelProto } from './model.ts';

export type DeviceTarget = Exclude<Target, 'cpu'>;

/**
 * The bytes of device memory that a graph takes, as written for `target` with weights stored as `stored`: simulated node by node,
 * without running it.
 */
export function memoryOf(
  graph: Graph,
  target: DeviceTarget,
  {
    stored = 'f32',
    isFed = () => false,
  }: { readonly stored?: DType; readonly isFed?: (parameter: string) => boolean } = {},
): GraphMemory {
  const { device: whole } = hostPart(graph);
  // In mixed precision, weights are converted to the graph's types before the first run.
  const mixed = halfTypeOf(whole) !== undefined;
  const types = leaves(whole, 'parameter');
  const storedAs = (name: string): DType | undefined =>
    isFed(name) ? undefined : mixed ? types.get(name)?.dtype : stored;
  const device = target === 'webgpu' ? splitKernels(whole, storedAs) : whole;
  const parameters = leaves(device, 'parameter');
  const model = modelProto(device, {
    target,
    weights: (name) => {
      const value = parameters.get(name);
      if (isFed(name) || !value) return undefined;
      const { shape, dtype } = value;
      // Bytes tell the rows of a weight apart, where a part of them is used.
      const byteLength = 4 * elementCount(shape);
      return { location: '', offset: 0, byteLength, dtype: mixed ? dtype : stored, shape };
    },
  });
  const memory = graphMemory(model.graph, target !== 'webgpu');
  // ONNX Runtime folds what depends on weights alone, unless shapes are hidden from it.
  const folded = mixed && target === 'device' ? turnedBytes(device, isFed) : 0;
  return { ...memory, held: memory.held + folded };
}

/** Bytes of the frozen kernels that are turned for input gradients. */
function turnedBytes(graph: Graph, isFed: (parameter: string) => boolean): number {
  const kernels = new Set<Value>();
  for (const { op, inputs } of topological(Object.values(graph.outputs))) {
    const weight = op === 'conv2dInputGradient' ? inputs[1] : undefined;
    if (weight?.op === 'parameter' && !isFed(weight.attributes.name)) kernels.add(weight);
  }
  return [...kernels].reduce(
    (sum, { shape, dtype }) => sum + bytesPerElement[dtype] * elementCount(shape),
    0,
  );
}
