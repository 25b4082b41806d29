import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bf16ToF32, f16Bits, f16ToF32, f32ToF16, toF32 } from '../../../src-main/engine/tensor/half.ts';
import { f32, i64 } from '../../../src-main/engine/tensor/tensor.ts';

interface Reference {
  readonly decoded: Readonly<Record<'f16' | 'bf16', string>>;
  readonly encoded: Readonly<Record<'arbitrary' | 'aroundTies', string>>;
  readonly single: readonly (readonly [text: string, bits: number])[];
}

// See test/golden/reference/half_precision.py for what was digested.
const reference = JSON.parse(
  readFileSync(`${import.meta.dirname}/../../golden/fixtures/tensor/half.json`, 'utf8'),
) as Reference;

/** SHA-256 of the bytes, any NaN (what `isNaN` says by index) written as `nan`. */
function digest(words: Uint16Array | Uint32Array, isNaNAt: (index: number) => boolean, nan: number): string {
  const same = words.map((word, i) => (isNaNAt(i) ? nan : word));
  return createHash('sha256').update(same).digest('hex');
}

const everyBits = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
const floats = (bits: Uint32Array): Float32Array => new Float32Array(bits.buffer);
const digestF32 = (values: Float32Array): string =>
  digest(new Uint32Array(values.buffer), (i) => Number.isNaN(values[i]), 0x7fc00000);
const digestF16 = (bits: Uint16Array): string =>
  digest(bits, (i) => ((bits[i] as number) & 0x7fff) > 0x7c00, 0x7e00);

describe('16-bit floats as torch converts them', () => {
  it('decodes every float16', () => {
    expect(digestF32(f16ToF32(everyBits))).toBe(reference.decoded.f16);
  });

  it('decodes every bfloat16', () => {
    expect(digestF32(bf16ToF32(everyBits))).toBe(reference.decoded.bf16);
  });

  it.each(reference.single.map(([text, bits]) => [text, bits.toString(16)] as const))(
    'encodes %s as %s',
    (text, bits) => {
      expect(f16Bits(text === 'inf' ? Infinity : Number(text)).toString(16)).toBe(bits);
    },
  );

  it('encodes 200,000 arbitrary patterns: normal, subnormal, huge, NaN', () => {
    let pattern = 1;
    const patterns = Uint32Array.from({ length: 200_000 }, () => {
      pattern = (Math.imul(1664525, pattern) + 1013904223) >>> 0;
      return pattern;
    });
    expect(digestF16(f32ToF16(floats(patterns)))).toBe(reference.encoded.arbitrary);
  });

  it('rounds ties to even, and what lies beside them to the nearest', () => {
    const halves = Float64Array.from(f16ToF32(everyBits.slice(0, 0x7c00)));
    const middles = Float32Array.from(halves, (half, i) => (half + (halves[i + 1] ?? 65536)) / 2);
    const around = Array.from(new Uint32Array(middles.buffer)).flatMap((bits) => [bits - 1, bits, bits + 1]);
    const both = Uint32Array.from([...around, ...around.map((bits) => (bits | 0x80000000) >>> 0)]);
    expect(digestF16(f32ToF16(floats(both)))).toBe(reference.encoded.aroundTies);
  });

  it('gives back every half that it decodes', () => {
    const numbers = everyBits.filter((bits) => (bits & 0x7fff) <= 0x7c00);
    expect(f32ToF16(f16ToF32(numbers))).toEqual(numbers);
  });

  it('converts tensors of any float type and refuses others', () => {
    expect(toF32({ dtype: 'f16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) })).toEqual(
      f32([2], [1, -2]),
    );
    expect(toF32({ dtype: 'bf16', shape: [2], data: Uint16Array.of(0x3f80, 0xc000) })).toEqual(
      f32([2], [1, -2]),
    );
    expect(toF32(f32([1], [3]))).toEqual(f32([1], [3]));
    expect(() => toF32(i64([1], [3]))).toThrow('i64 is not a float type');
  });
});
