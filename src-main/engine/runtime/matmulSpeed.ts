import { input, matmul } from '../graph/build.ts';
import { f32 } from '../tensor/tensor.ts';
import { Session } from './session.ts';

const side = 2048;
const rounds = 5;

/** GFLOP/s of the CPU in f32: the best of five products of two 2048×2048 matrices, after one that warms up. */
export async function matmulSpeed(threads?: number): Promise<number> {
  const a = input('a', [side, side]);
  const graph = { outputs: { product: matmul(a, a) } };
  const session = await Session.compile(graph, threads ? { threads } : {});
  const feeds = { a: f32([side, side], new Float32Array(side * side).fill(0.5)) };
  let best = Infinity;
  for (let round = 0; round <= rounds; round++) {
    const started = performance.now();
    await session.runHost(feeds);
    if (round > 0) best = Math.min(best, performance.now() - started);
  }
  await session.dispose();
  return Math.round((2 * side ** 3) / best / 1e6);
}
