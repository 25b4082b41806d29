import { withFile } from './files.ts';
import type { HostTensor, Shape } from '../tensor/tensor.ts';
import { elementCount } from '../tensor/tensor.ts';

/** A tensor of an element type that no network is computed in. Those of a LoRA, which are small, can be read all the same. */
export interface OtherTensor {
  /** As safetensors calls it (`F64`, `F8_E4M3`), or words for a message where it can't be read. */
  readonly dtype: string;
  readonly shape: Shape;
  readonly file: string;
  readonly offset: number;
}

/** Ends the type of a tensor whose elements are not in row-major order (`channels_last`). */
export const stridedView = 'in a strided view';

type ReadElement = (view: DataView, at: number) => number;

const readers: Readonly<Record<string, readonly [bytes: number, read: ReadElement]>> = {
  F64: [8, (view, at) => view.getFloat64(at, true)],
  I64: [8, (view, at) => Number(view.getBigInt64(at, true))],
  U64: [8, (view, at) => Number(view.getBigUint64(at, true))],
  I32: [4, (view, at) => view.getInt32(at, true)],
  U8: [1, (view, at) => view.getUint8(at)],
  U32: [4, (view, at) => view.getUint32(at, true)],
  I16: [2, (view, at) => view.getInt16(at, true)],
  U16: [2, (view, at) => view.getUint16(at, true)],
  I8: [1, (view, at) => view.getInt8(at)],
  F8_E4M3: [1, (view, at) => float8(view.getUint8(at), 3, 7, 0x7f)],
  F8_E5M2: [1, (view, at) => float8(view.getUint8(at), 2, 15, 0x7c)],
};

/** The tensor's values as f32; nothing for a type that is no number. */
export function readOtherF32({ dtype, shape, file, offset }: OtherTensor): HostTensor<'f32'> | undefined {
  const [bytes, read] = readers[dtype] ?? [];
  if (!bytes || !read) return undefined;
  const count = elementCount(shape);
  const raw = withFile(file, (open) => open.bytes(offset, count * bytes));
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return { dtype: 'f32', shape, data: Float32Array.from({ length: count }, (_, i) => read(view, i * bytes)) };
}

/** OCP 8-bit floats ("OFP8 specification", Micikevicius et al. 2022): from `firstNaN` on, sign apart, there is no number. */
function float8(bits: number, mantissaBits: number, bias: number, firstNaN: number): number {
  if ((bits & 0x7f) >= firstNaN) return NaN;
  const exponent = (bits & 0x7f) >> mantissaBits;
  const fraction = (bits & ((1 << mantissaBits) - 1)) / (1 << mantissaBits);
  const size = exponent ? (1 + fraction) * 2 ** (exponent - bias) : fraction * 2 ** (1 - bias);
  return bits & 0x80 ? -size : size;
}
