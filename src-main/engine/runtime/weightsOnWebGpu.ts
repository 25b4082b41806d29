import type { HalfType } from '../../../src-shared/domain/precision.ts';
import { cast, input } from '../graph/build.ts';
import { onnxModel } from '../onnx/model.ts';
import type { DType } from '../tensor/tensor.ts';
import { InferenceSession } from './onnxRuntime.ts';
import { Tensor } from './tensor.ts';

/**
 * Whether WebGPU is to have its weights, of these types, cast before the first run. It knows no bf16: the CPU would cast all of them at each
 * run, and they would travel to the device again.
 */
export async function castsBeforehand(
  dtypes: ReadonlySet<DType | undefined>,
  storedIn?: HalfType,
): Promise<boolean> {
  if (dtypes.has('bf16') && storedIn === undefined) return true;
  return dtypes.has('f16') && !(await readsHalves());
}

/** The type in which a WebGPU device has weights of this type (`castsBeforehand`). */
export async function keptAs(stored: DType | undefined, storedIn?: HalfType): Promise<DType | undefined> {
  return (await castsBeforehand(new Set([stored]), storedIn)) ? 'f32' : (storedIn ?? stored);
}

let known: Promise<boolean> | undefined;

/**
 * Whether WebGPU's kernels can read values of 16 bits here: WebGPU leaves that to the device (`shader-f16`), and SwiftShader, for one, can't.
 * Tried once in a process, when a weight needs it: the trial of a provider has f32 alone.
 */
const readsHalves = (): Promise<boolean> => (known ??= tried());

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
