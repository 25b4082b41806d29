import { InferenceSession } from './onnxRuntime.ts';
import type { HostTensor } from '../tensor/tensor.ts';
import { Tensor } from './tensor.ts';

/** Runs an `.onnx` file as any other program would: on the CPU, from its own folder. */
export async function runOnnxFile(
  path: string,
  feeds: Readonly<Record<string, HostTensor>>,
): Promise<Record<string, HostTensor>> {
  const session = await InferenceSession.create(path, { executionProviders: ['cpu'], logSeverityLevel: 3 });
  try {
    const given = Object.fromEntries(
      Object.entries(feeds).map(([name, tensor]) => [name, Tensor.from(tensor).ort]),
    );
    const results = await session.run(given);
    return Object.fromEntries(
      Object.entries(results).map(([name, tensor]) => [name, new Tensor(tensor).host]),
    );
  } finally {
    await session.release();
  }
}
