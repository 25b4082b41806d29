import { describe, expect, it } from 'vitest';
import { TorchGenerator } from '../../src-main/engine/tensor/random.ts';

describe('TorchGenerator', () => {
  it('reads the low 32 bits of a seed, as torch does', () => {
    const first = (seed: number | bigint) => new TorchGenerator(seed).random32();
    expect(first(2n ** 32n + 5n)).toBe(first(5));
    expect(first(-1)).toBe(first(2n ** 64n - 1n));
    expect(first(5)).not.toBe(first(6));
  });

  it('has the mean and deviation of a standard normal', () => {
    const values = new TorchGenerator(3).randn([100_000]);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
  });
});
