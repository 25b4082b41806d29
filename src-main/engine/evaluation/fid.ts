import { factor, nuclearNorm, timesTransposed, type Matrix, type Pause } from './linalg.ts';

/** Mean and covariance of a set's features: a Gaussian. */
export interface Statistics {
  readonly mu: Float64Array;
  /** F with sigma = FᵀF. */
  readonly factor: Matrix;
}

/** Mean and covariance (of a sample: divided by n − 1, as `np.cov`) of features [n,d], n ≥ 2. */
export async function statisticsOf(features: Matrix, pause: Pause): Promise<Statistics> {
  const { mu, centred } = centre(features);
  const { rows: n, columns: d } = features;
  const scale = 1 / Math.sqrt(n - 1);
  const scaled = { ...centred, data: centred.data.map((value) => value * scale) };
  // Fewer pictures than features: the scaled rows are themselves such an F, and an exact one.
  return { mu, factor: n <= d ? scaled : await factor(await gram(scaled, pause), pause) };
}

/** The same of stored statistics. */
export async function statisticsFrom(mu: Float64Array, sigma: Matrix, pause: Pause): Promise<Statistics> {
  return { mu, factor: await factor(sigma, pause) };
}

/** Covariance [d,d] of features [n,d], as `np.cov(features, rowvar=False)`. */
export async function covariance(features: Matrix, pause: Pause): Promise<Matrix> {
  const scale = 1 / Math.sqrt(features.rows - 1);
  const { centred } = centre(features);
  return gram({ ...centred, data: centred.data.map((value) => value * scale) }, pause);
}

/**
 * Fréchet distance of two Gaussians (Heusel et al. 2017): |μ₁−μ₂|² + tr Σ₁ + tr Σ₂ − 2·tr √(Σ₁Σ₂). The last trace is the sum of the
 * singular values of F₁F₂ᵀ, which needs no square root of a matrix and holds where covariances are singular.
 */
export async function frechetDistance(a: Statistics, b: Statistics, pause: Pause): Promise<number> {
  const means = a.mu.reduce((sum, value, i) => sum + (value - (b.mu[i] as number)) ** 2, 0);
  const common = await nuclearNorm(await timesTransposed(a.factor, b.factor, pause), pause);
  return means + squares(a.factor) + squares(b.factor) - 2 * common;
}

const squares = ({ data }: Matrix): number => data.reduce((sum, value) => sum + value * value, 0);

function centre({ rows, columns, data }: Matrix): { mu: Float64Array; centred: Matrix } {
  const mu = new Float64Array(columns);
  for (let i = 0; i < data.length; i++)
    mu[i % columns] = (mu[i % columns] as number) + (data[i] as number) / rows;
  const centred = data.map((value, i) => value - (mu[i % columns] as number));
  return { mu, centred: { rows, columns, data: centred } };
}

/** Rows taken together: each part of the result is read and written once for all of them. */
const together = 8;

/** xᵀ·x: [n,d] → [d,d]. */
async function gram({ rows, columns: d, data }: Matrix, pause: Pause): Promise<Matrix> {
  const result = new Float64Array(d * d);
  for (let first = 0; first < rows; first += together) {
    await pause();
    const count = Math.min(together, rows - first);
    for (let i = 0; i < d; i++) {
      const line = result.subarray(i * d, (i + 1) * d);
      for (let k = 0; k < count; k++) {
        const x = data.subarray((first + k) * d, (first + k + 1) * d);
        const share = x[i] as number;
        for (let j = i; j < d; j++) line[j] = (line[j] as number) + share * (x[j] as number);
      }
    }
  }
  for (let i = 0; i < d; i++) for (let j = 0; j < i; j++) result[i * d + j] = result[j * d + i] as number;
  return { rows: d, columns: d, data: result };
}
