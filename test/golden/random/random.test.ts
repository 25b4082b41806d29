import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';

const bytes = readFileSync(new URL('../fixtures/random/random.f32', import.meta.url));
const golden = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
const seeds = [7, 0, 1234, 2n ** 64n - 1n, -5, 2 ** 40 + 3];
const sizes = [...Array.from({ length: 40 }, (_, i) => i + 1), 64, 100, 1024, 16384];

describe("torch's CPU generator", () => {
  let read = 0;
  const expectNext = (values: ArrayLike<number>, what: string) => {
    expect(Array.from(values), what).toEqual(Array.from(golden.slice(read, (read += values.length))));
  };
  it.each(seeds)('draws the same bits for seed %s', (seed) => {
    const generator = new TorchGenerator(seed);
    for (const size of seed === 7 ? sizes : sizes.slice(0, -2))
      expectNext(generator.randn([size]), `randn(${size})`);
    expectNext(generator.rand([5]), 'rand');
    expectNext(generator.randint(0, 1000, [5]), 'randint');
    expectNext(generator.randperm(50), 'randperm');
    expectNext(generator.randn([3]), 'randn(3)');
    expectNext(generator.rand([70]), 'rand(70)');
    expectNext(generator.randn([2]), 'randn(2), one of them left over');
  });
  it('has been compared with every recorded value', () => expect(read).toBe(golden.length));
});
