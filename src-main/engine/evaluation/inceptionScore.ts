import type { Matrix } from './linalg.ts';
import { fidelitySeed, RandomState } from './numpyRandom.ts';

export interface Spread {
  readonly mean: number;
  /** Standard deviation over the parts. */
  readonly std: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance) };
}

/**
 * Inception Score (Salimans et al. 2016) of logits [n,classes] before their bias: exp of the mean Kullback–Leibler divergence of each
 * picture's classes from those of its part, in ten parts of the shuffled set, as torch-fidelity draws them.
 */
export function inceptionScore(logits: Matrix, parts = 10): Spread {
  const { rows: n, columns } = logits;
  const order = new RandomState(fidelitySeed).permutation(n);
  const scores: number[] = [];
  for (let part = 0; part < parts; part++) {
    const members = [...order.subarray(Math.floor((part * n) / parts), Math.floor(((part + 1) * n) / parts))];
    const logs = members.map((i) => logSoftmax(logits.data.subarray(i * columns, (i + 1) * columns)));
    const mean = Float64Array.from(
      { length: columns },
      (_, c) => logs.reduce((sum, log) => sum + Math.exp(log[c] as number), 0) / members.length,
    );
    const divergence = logs.reduce(
      (sum, log) =>
        sum + log.reduce((own, value, c) => own + Math.exp(value) * (value - Math.log(mean[c] as number)), 0),
      0,
    );
    scores.push(Math.exp(divergence / members.length));
  }
  return spreadOf(scores);
}

function logSoftmax(logits: Float64Array): Float64Array {
  const most = Math.max(...logits);
  const total = Math.log(logits.reduce((sum, value) => sum + Math.exp(value - most), 0));
  return logits.map((value) => value - most - total);
}
