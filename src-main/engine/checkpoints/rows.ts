import type { HostTensor } from '../tensor/tensor.ts';
import { elementCount } from '../tensor/tensor.ts';
import type { TensorSource } from './writeSafetensors.ts';

/** Rows `from` up to `to` of a tensor: they lie side by side. */
export function rowsOf(source: TensorSource, from: number, to: number): TensorSource {
  const [rows = 1, ...rest] = source.shape;
  const shape = [to - from, ...rest];
  if ('file' in source) {
    const bytes = source.byteLength / rows;
    return { ...source, shape, offset: source.offset + from * bytes, byteLength: (to - from) * bytes };
  }
  const some = (whole: HostTensor): HostTensor => {
    const size = elementCount(rest);
    return { ...whole, shape, data: whole.data.slice(from * size, to * size) };
  };
  if ('compute' in source) return { dtype: source.dtype, shape, compute: () => some(source.compute()) };
  if ('parts' in source) throw new Error('rows of joined tensors are asked for nowhere');
  return some(source);
}
