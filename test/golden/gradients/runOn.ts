import { InferenceSession, Tensor } from '../../../src-main/engine/runtime/onnxRuntime.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import { verify } from '../../../src-main/engine/graph/verify.ts';
import type { Target } from '../../../src-main/engine/onnx/emitter.ts';
import { onnxModel } from '../../../src-main/engine/onnx/model.ts';
import type { DType, HostTensor } from '../../../src-main/engine/tensor/tensor.ts';

const types = {
  f32: 'float32',
  i64: 'int64',
  bool: 'bool',
  f16: 'float16',
  i32: 'int32',
  u8: 'uint8',
} as const;
const dtypes = Object.fromEntries(Object.entries(types).map(([dtype, type]) => [type, dtype as DType]));

export type Feeds = Readonly<Record<string, HostTensor>>;
type Outputs = Readonly<Record<string, Value>>;
export type Runner = (feeds: Feeds) => Promise<Record<string, HostTensor>>;

/** Lowers a graph for `target` and lets the CPU execute it, whoever it is meant for. */
export async function compileFor(target: Target, outputs: Outputs): Promise<Runner> {
  verify({ outputs });
  const session = await InferenceSession.create(onnxModel({ outputs }, { target }), {
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
  });
  return async (feeds) => {
    const given = session.inputNames.map((name) => {
      const { dtype, shape, data } = feeds[name] as HostTensor & { dtype: keyof typeof types };
      return [name, new Tensor(types[dtype], data as Float32Array, shape)] as const;
    });
    const results = await session.run(Object.fromEntries(given));
    return Object.fromEntries(
      Object.entries(results).map(([name, { type, dims, data }]) => [
        name,
        { dtype: dtypes[type] as DType, shape: dims, data: data as Float32Array },
      ]),
    );
  };
}

/** As `compileFor`, for one run. */
export async function runOn(
  target: Target,
  outputs: Outputs,
  feeds: Feeds,
): Promise<Record<string, HostTensor>> {
  return (await compileFor(target, outputs))(feeds);
}
