import { TorchGenerator } from '../tensor/random.ts';

/** The seed of torch-fidelity, with which its figures are drawn. */
export const fidelitySeed = 2020;

/** `np.random.RandomState(seed)`: MT19937 as torch's, whose orders are drawn from the back. */
export class RandomState {
  private readonly generator: TorchGenerator;

  constructor(seed: number) {
    this.generator = new TorchGenerator(seed);
  }

  /** `permutation(n)`. */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.upTo(i);
      [order[i], order[j]] = [order[j] as number, order[i] as number];
    }
    return order;
  }

  /** `choice(n, size, replace=False)`. */
  choice(n: number, size: number): Int32Array {
    return this.permutation(n).subarray(0, size);
  }

  /** 0…most: random bits under a mask, drawn again when too large. */
  private upTo(most: number): number {
    const mask = 2 ** (32 - Math.clz32(most)) - 1;
    for (;;) {
      const value = (this.generator.random32() & mask) >>> 0;
      if (value <= most) return value;
    }
  }
}
