import { leaves } from '../../graph/graph.ts';
import { hostPart } from '../../graph/hostPart.ts';
import type { Target } from '../../onnx/emitter.ts';
import { graphMemory, type GraphMemory } from '../../onnx/liveness.ts';
import { modelProto } from '../../onnx/model.ts';
import type { DType } from '../../tensor/tensor.ts';
import { packsOf } from '../../optim/packs.ts';
import { packedStep } from '../loss/deviceGradients.ts';
import { layoutOf, stepGraph, type StepOptions } from '../loss/gradients.ts';

/**
 * The bytes of device memory that a training step takes, without running it: its graph, as written for `target`, is simulated node
 * by node. `stored` is the type of the frozen weights' file.
 */
export function stepMemory(
  loss: StepOptions,
  target: Exclude<Target, 'cpu'>,
  stored: DType = 'f32',
): GraphMemory {
  const trained = new Set(loss.trained);
  const layout = layoutOf(loss);
  const packs = target === 'webgpu' ? packsOf(layout) : [];
  const step = stepGraph(loss);
  const graph = hostPart(packs.length ? packedStep(step, layout, packs) : step).device;
  for (const { name } of packs) trained.add(name);
  const shapes = leaves(graph, 'parameter');
  const model = modelProto(graph, {
    target,
    weights: (name) => {
      const shape = shapes.get(name)?.shape;
      if (trained.has(name) || !shape) return undefined;
      return { location: '', offset: 0, byteLength: 0, dtype: stored, shape };
    },
  });
  const memory = graphMemory(model.graph);
  // AdamW's two slots are there too.
  return packs.length ? { ...memory, held: memory.held + 2 * 4 * layout.length } : memory;
}
