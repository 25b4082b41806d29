import { Tensor as OrtTensor } from './onnxRuntime.ts';
import type { DType, HostTensor, Shape } from '../tensor/tensor.ts';

const ortTypes = {
  f32: 'float32',
  f16: 'float16',
  i64: 'int64',
  i32: 'int32',
  u8: 'uint8',
  bool: 'bool',
} as const;
const dtypes: Readonly<Record<string, DType>> = Object.fromEntries(
  Object.entries(ortTypes).map(([dtype, ortType]) => [ortType, dtype as DType]),
);

/**
 * An array where the provider wants it: host memory on CPU, a buffer of the GPU elsewhere. Dispose of GPU ones.
 * On CPU `data` of an uploaded tensor is the host array itself, not a copy.
 */
export class Tensor {
  constructor(readonly ort: OrtTensor) {}

  static from({ dtype, shape, data }: HostTensor): Tensor {
    if (dtype === 'bf16') throw new Error('bf16 is a storage type only');
    return new Tensor(new OrtTensor(ortTypes[dtype], data as Float32Array, shape));
  }

  get shape(): Shape {
    return this.ort.dims;
  }

  get dtype(): DType {
    return dtypes[this.ort.type] as DType;
  }

  get onDevice(): boolean {
    return this.ort.location !== 'cpu';
  }

  /** The values, of a tensor in host memory. A graph must copy a device's to it: see `DeviceCopies`. */
  get host(): HostTensor {
    if (this.onDevice) throw new Error('this tensor is on the device');
    return { dtype: this.dtype, shape: this.shape, data: this.ort.data as Float32Array };
  }

  dispose(): void {
    this.ort.dispose();
  }
}
