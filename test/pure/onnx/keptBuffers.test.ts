import { describe, expect, it } from 'vitest';
import { keptBuffers, type BufferUse } from '../../../src-main/engine/onnx/keptBuffers.ts';

const [square, row] = ['1 4,4', '1 16'];
/** Of 8 MiB, which Dawn does not cut. */
const use = (kind: string, from: number, to: number, bytes = 8 << 20): BufferUse => ({
  kind,
  bytes,
  from,
  to,
});
const kernels = (count: number): boolean[] => Array.from({ length: count }, () => true);

describe('the buffers that WebGPU keeps', () => {
  it('go from a value to the next one of its shape', () => {
    const chain = [use(square, 0, 1), use(square, 1, 2), use(square, 2, 3), use(square, 3, 4)];
    // What a node reads is not where it writes.
    expect(keptBuffers(chain, kernels(5))).toBe(2 * (8 << 20));
  });

  it('serve other shapes of the same size only when their submission has ended', () => {
    expect(keptBuffers([use(square, 0, 1), use(row, 2, 3)], kernels(4))).toBe(2 * (8 << 20));
    expect(keptBuffers([use(square, 0, 1), use(row, 16, 17)], kernels(18))).toBe(8 << 20);
    // Nodes that run no kernel end none.
    const quiet = kernels(18).map((_, node) => node < 3);
    expect(keptBuffers([use(square, 0, 1), use(row, 16, 17)], quiet)).toBe(2 * (8 << 20));
  });

  it('are held from one value of their shape to the next, however long that is', () => {
    const held = [use(square, 0, 1), use(row, 20, 21), use(square, 40, 41)];
    expect(keptBuffers(held, kernels(42))).toBe(2 * (8 << 20));
  });

  it('take a power of two where they are small', () => {
    expect(keptBuffers([use(square, 0, 1, 600_000)], kernels(2))).toBe(1 << 20);
    expect(keptBuffers([use(square, 0, 1, 5_000_000)], kernels(2))).toBe(5_000_000);
  });
});
