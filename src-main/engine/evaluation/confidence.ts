import type { Estimate } from '../../../src-shared/domain/runScore.ts';
import { TorchGenerator } from '../tensor/random.ts';

const draws = 1000;
const tail = 0.025;

/**
 * A statistic of cells [prompt][seed] and its 95 % interval by the two-level bootstrap (Davison & Hinkley 1997, 3.8): prompts are drawn
 * anew, then seeds within each. The same cells always give the same interval.
 */
export function bootstrap<T>(
  cells: readonly (readonly T[])[],
  statistic: (chosen: readonly T[]) => number,
): Estimate {
  const most = cells.length * (1 + Math.max(...cells.map((row) => row.length)));
  const random = new TorchGenerator(0).rand([draws * most]);
  let next = 0;
  const drawn = <U>(from: readonly U[]): U[] =>
    from.map(() => from[Math.floor((random[next++] as number) * from.length)] as U);
  const values = Array.from({ length: draws }, () => statistic(drawn(cells).flatMap((row) => drawn(row))));
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const value = statistic(cells.flat());
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? value;
  return { value, low: at(tail), high: at(1 - tail) };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Values [prompt·seed] as cells [prompt][seed]. */
export function cellsOf<T>(values: readonly T[], seeds: number): T[][] {
  return Array.from({ length: values.length / seeds }, (_, p) => values.slice(p * seeds, (p + 1) * seeds));
}
