import { memoryOf, type DeviceTarget } from '../../onnx/deviceMemory.ts';
import type { GraphMemory } from '../../onnx/liveness.ts';
import type { DType } from '../../tensor/tensor.ts';
import { packsOf } from '../../optim/packs.ts';
import { packedStep } from './deviceGradients.ts';
import { layoutOf, stepGraph, type StepOptions } from './gradients.ts';

/**
 * The bytes of device memory that a training step takes, without running it: its graph, as written for `target`, is simulated node
 * by node. `stored` is the type of the frozen weights' file. `offloaded`: the optimizer and its state are in this
 * program's memory, as with optimizers that look at a tensor as a whole.
 */
export function stepMemory(
  loss: StepOptions,
  target: DeviceTarget,
  stored: DType = 'f32',
  { offloaded = false } = {},
): GraphMemory {
  const trained = new Set(loss.trained);
  const layout = layoutOf(loss);
  const packs = target === 'webgpu' && !offloaded ? packsOf(layout) : [];
  const step = stepGraph(loss);
  const graph = packs.length ? packedStep(step, layout, packs) : step;
  for (const { name } of packs) trained.add(name);
  const memory = memoryOf(graph, target, { stored, isFed: (name) => trained.has(name) });
  // AdamW's two slots are there too.
  return packs.length ? { ...memory, held: memory.held + 2 * 4 * layout.length } : memory;
}
