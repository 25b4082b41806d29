import { input, matmul } from '../graph/build.ts';
import { Session } from '../runtime/session.ts';
import { asF32, f32 } from '../tensor/tensor.ts';
import { spreadOf, type Spread } from './inceptionScore.ts';
import type { Matrix, Pause } from './linalg.ts';
import { fidelitySeed, RandomState } from './numpyRandom.ts';

export interface KidOptions {
  readonly subsets?: number;
  /** Pictures a subset; less where a set has fewer. */
  readonly size?: number;
}

/**
 * Kernel Inception Distance (Bińkowski et al. 2018): the unbiased squared maximum mean discrepancy with the kernel (x·y/d + 1)³, over
 * random subsets, as torch-fidelity draws them. Sets need two pictures at least.
 */
export async function kernelDistance(
  a: Matrix,
  b: Matrix,
  pause: Pause,
  { subsets = 100, size = 1000 }: KidOptions = {},
): Promise<Spread & { size: number }> {
  const m = Math.min(size, a.rows, b.rows);
  const d = a.columns;
  // f32 products are summed in doubles: their rounding errors average out over the m² of them.
  const [x, y] = [input('x', [m, d]), input('y', [m, d])];
  const session = await Session.compile({ outputs: { products: matmul(x, y, { transB: true }) } });
  const sum = async (first: Float32Array, second: Float32Array, diagonal: boolean): Promise<number> => {
    const { products } = await session.runHost({ x: f32([m, d], first), y: f32([m, d], second) });
    return kernelSum(asF32(products).data, m, d, diagonal);
  };
  const random = new RandomState(fidelitySeed);
  const distances: number[] = [];
  for (let i = 0; i < subsets; i++) {
    await pause();
    const first = rowsOf(a, random.choice(a.rows, m));
    const second = rowsOf(b, random.choice(b.rows, m));
    const within = (await sum(first, first, false)) + (await sum(second, second, false));
    distances.push(within / (m * (m - 1)) - (2 * (await sum(first, second, true))) / (m * m));
  }
  await session.dispose();
  return { ...spreadOf(distances), size: m };
}

function rowsOf({ columns, data }: Matrix, chosen: Int32Array): Float32Array {
  const rows = new Float32Array(chosen.length * columns);
  for (const [i, row] of chosen.entries())
    rows.set(data.subarray(row * columns, (row + 1) * columns), i * columns);
  return rows;
}

function kernelSum(products: Float32Array, m: number, d: number, diagonal: boolean): number {
  let sum = 0;
  for (let i = 0; i < products.length; i++) {
    const base = (products[i] as number) / d + 1;
    if (diagonal || i % (m + 1)) sum += base * base * base;
  }
  return sum;
}
