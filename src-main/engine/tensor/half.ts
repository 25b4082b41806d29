import type { HalfType } from '../../../src-shared/domain/precision.ts';
import type { DType, HostTensor } from './tensor.ts';

export const isHalf = (dtype: DType): dtype is HalfType => dtype === 'f16' || dtype === 'bf16';

const scratch = new DataView(new ArrayBuffer(4));

/** Bits of the nearest IEEE binary16 to `value` (ties to even; overflow to infinity). */
export function f16Bits(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const mantissa = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (mantissa ? 0x200 : 0);
  const shifted = exponent - 112;
  if (shifted >= 31) return sign | 0x7c00;
  // Subnormal halves: the implicit one joins the mantissa, then both shift right.
  const drop = shifted > 0 ? 13 : 14 - shifted;
  if (drop > 25) return sign;
  const whole = shifted > 0 ? (shifted << 23) | mantissa : 0x800000 | mantissa;
  const kept = whole >>> drop;
  const rest = whole & ((1 << drop) - 1);
  const half = 1 << (drop - 1);
  return sign | (kept + (rest > half || (rest === half && kept & 1) ? 1 : 0));
}

const f16Table = new Float32Array(65536);
for (let bits = 0; bits < 65536; bits++) {
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 1023;
  const magnitude =
    exponent === 31
      ? mantissa
        ? NaN
        : Infinity
      : exponent === 0
        ? mantissa * 2 ** -24
        : (1 + mantissa / 1024) * 2 ** (exponent - 15);
  f16Table[bits] = bits & 0x8000 ? -magnitude : magnitude;
}

export function f16ToF32(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = f16Table[bits[i] as number] as number;
  return values;
}

export function f32ToF16(values: Float32Array): Uint16Array {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = f16Bits(values[i] as number);
  return bits;
}

export function bf16ToF32(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = (bits[i] as number) << 16;
  return new Float32Array(words.buffer);
}

/** Bits of the nearest bfloat16 values (ties to even). */
function f32ToBf16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(Float32Array.from(values).buffer);
  return Uint16Array.from(words, (word, i) =>
    Number.isNaN(values[i]) ? 0x7fc0 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16,
  );
}

/** An f32 tensor's values in 16 bits; one of another type as it is. */
export function inHalves(tensor: HostTensor, dtype: HalfType): HostTensor {
  if (tensor.dtype !== 'f32') return tensor;
  const values = tensor.data as Float32Array;
  return { dtype, shape: tensor.shape, data: dtype === 'f16' ? f32ToF16(values) : f32ToBf16(values) };
}

/** The tensor's values as f32, whatever float type they are stored in. */
export function toF32(tensor: HostTensor): HostTensor<'f32'> {
  const { dtype, shape, data } = tensor;
  if (dtype === 'f32') return { dtype, shape, data: data as Float32Array };
  if (dtype === 'f16') return { dtype: 'f32', shape, data: f16ToF32(data as Uint16Array) };
  if (dtype === 'bf16') return { dtype: 'f32', shape, data: bf16ToF32(data as Uint16Array) };
  throw new Error(`toF32: ${dtype} is not a float type`);
}
