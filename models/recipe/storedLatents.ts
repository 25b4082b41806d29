import { readSafetensors } from '../../src-main/engine/checkpoints/safetensors.ts';
import { readTensor, type TensorEntry } from '../../src-main/engine/checkpoints/weights.ts';
import { f16ToF32 } from '../../src-main/engine/tensor/half.ts';

/** What `encodeLatents.ts` wrote: the second half holds the first half's pictures mirrored. */
export class StoredLatents {
  readonly count: number;
  /** [c,h,w] of one. */
  readonly shape: readonly [number, number, number];
  private readonly values: Float32Array;

  constructor(file: string) {
    const stored = readSafetensors(file).tensors.get('latents') as TensorEntry;
    const [count, ...shape] = stored.shape as [number, number, number, number];
    this.count = count;
    this.shape = shape;
    this.values = f16ToF32(readTensor(stored).data as Uint16Array);
  }

  /** One picture's, [c,h,w]: a view. */
  at(index: number): Float32Array {
    const size = this.shape[0] * this.shape[1] * this.shape[2];
    return this.values.subarray(index * size, (index + 1) * size);
  }

  /** A square of them, [c,cells,cells]. */
  crop(index: number, cells: number, [left, top]: readonly [number, number]): Float32Array {
    const [channels, height, width] = this.shape;
    const whole = this.at(index);
    const part = new Float32Array(channels * cells * cells);
    for (let c = 0; c < channels; c++) {
      for (let y = 0; y < cells; y++) {
        const from = (c * height + top + y) * width + left;
        part.set(whole.subarray(from, from + cells), (c * cells + y) * cells);
      }
    }
    return part;
  }
}
