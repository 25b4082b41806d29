import { boxMuller16 } from './boxMuller.ts';
import { elementCount, type Shape } from './tensor.ts';

const N = 624;
const M = 397;

/**
 * `torch.Generator('cpu').manual_seed(seed)`: MT19937 (Matsumoto & Nishimura 1998), read as PyTorch's CPU kernels
 * read it (aten/src/ATen/core/DistributionsHelper.h, native/cpu/DistributionTemplates.h), so a seed means the same
 * numbers here and there. Like torch, seeds may be from −2^63 to 2^64−1 and only their low 32 bits matter.
 */
export class TorchGenerator {
  private readonly words = new Uint32Array(N);
  private next = N;
  /** The second half of the last double-precision Box–Muller pair, waiting to be used. */
  private cachedNormal: number | null = null;

  constructor(seed: number | bigint) {
    const words = this.words;
    words[0] = Number(BigInt.asUintN(32, BigInt(seed)));
    for (let i = 1; i < N; i++) {
      const previous = words[i - 1] as number;
      words[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i;
    }
  }

  /** The next 32 random bits, unsigned. */
  random32(): number {
    if (this.next === N) this.refill();
    let y = this.words[this.next++] as number;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** `torch.rand(shape)`: uniform in [0, 1), 24 bits each. */
  rand(shape: Shape): Float32Array {
    const values = new Float32Array(elementCount(shape));
    for (let i = 0; i < values.length; i++) values[i] = this.uniform24();
    return values;
  }

  /** `torch.randn(shape)`. From 16 elements on torch fills blocks of 16 in single precision, below it draws doubles. */
  randn(shape: Shape): Float32Array {
    const size = elementCount(shape);
    if (size < 16) return Float32Array.from({ length: size }, () => this.normal());
    const values = this.rand([size]);
    for (let start = 0; start + 16 <= size; start += 16) boxMuller16(values, start);
    if (size % 16) {
      // As torch does: the last 16 are drawn again, over what the whole blocks left there.
      values.set(this.rand([16]), size - 16);
      boxMuller16(values, size - 16);
    }
    return values;
  }

  /** `torch.randint(low, high, shape)`, for ranges below 2^32. */
  randint(low: number, high: number, shape: Shape): number[] {
    return Array.from({ length: elementCount(shape) }, () => low + (this.random32() % (high - low)));
  }

  /** `torch.randperm(n)`: Fisher–Yates from the front. */
  randperm(n: number): number[] {
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = 0; i < n - 1; i++) {
      const other = i + (this.random32() % (n - i));
      [order[i], order[other]] = [order[other] as number, order[i] as number];
    }
    return order;
  }

  private uniform24(): number {
    return (this.random32() & 0xffffff) * 2 ** -24;
  }

  private uniform53(): number {
    const high = this.random32() & 0x1fffff;
    return (high * 2 ** 32 + this.random32()) * 2 ** -53;
  }

  private normal(): number {
    if (this.cachedNormal !== null) {
      const value = this.cachedNormal;
      this.cachedNormal = null;
      return value;
    }
    const theta = 2 * Math.PI * this.uniform53();
    const radius = Math.sqrt(-2 * Math.log1p(-this.uniform53()));
    this.cachedNormal = radius * Math.sin(theta);
    return radius * Math.cos(theta);
  }

  private refill(): void {
    const words = this.words;
    for (let i = 0; i < N; i++) {
      const y = ((words[i] as number) & 0x80000000) | ((words[(i + 1) % N] as number) & 0x7fffffff);
      words[i] = (words[(i + M) % N] as number) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }
}
