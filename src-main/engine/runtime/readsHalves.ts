import { cast, input } from '../graph/build.ts';
import { onnxModel } from '../onnx/model.ts';
import { InferenceSession } from './onnxRuntime.ts';
import { Tensor } from './tensor.ts';

let known: Promise<boolean> | undefined;

/**
 * Whether WebGPU's kernels can read values of 16 bits here: WebGPU leaves that to the device (`shader-f16`), and SwiftShader, for one, can't.
 * Tried once in a process, when a weight needs it: the trial of a provider has f32 alone.
 */
export const readsHalves = (): Promise<boolean> => (known ??= tried());

async function tried(): Promise<boolean> {
  const model = onnxModel({ outputs: { y: cast(input('x', [2], 'f16'), 'f32') } }, { target: 'webgpu' });
  // A failure is an answer: 4 lets ONNX Runtime write nothing about it.
  const session = await InferenceSession.create(model, {
    executionProviders: ['webgpu'],
    logSeverityLevel: 4,
  });
  try {
    await session.run({ x: Tensor.from({ dtype: 'f16', shape: [2], data: new Uint16Array(2) }).ort });
    return true;
  } catch {
    return false;
  } finally {
    await session.release();
  }
}
