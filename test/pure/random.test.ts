import { describe, expect, it } from 'vitest';
import { TorchGenerator, type GeneratorState } from '../../src-main/engine/tensor/random.ts';

describe('TorchGenerator', () => {
  it('goes on from a saved state with the same bits, a waiting half of a pair included', () => {
    const generator = new TorchGenerator(99);
    generator.randn([700]);
    generator.randn([3]);
    const saved = JSON.stringify(generator.state());
    const draw = (from: TorchGenerator) => [...from.randn([2]), ...from.randn([33]), ...from.randperm(9)];
    const expected = draw(generator);
    const state = JSON.parse(saved) as GeneratorState;
    expect(draw(TorchGenerator.from(state))).toEqual(expected);
    generator.restore(state);
    expect(draw(generator)).toEqual(expected);
  });

  it('hands out a state that later draws do not change', () => {
    const generator = new TorchGenerator(1);
    const state = generator.state();
    const first = generator.rand([700]);
    expect(TorchGenerator.from(state).rand([700])).toEqual(first);
  });

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
