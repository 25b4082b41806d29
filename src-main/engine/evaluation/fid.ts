import { doubleProduct } from '../runtime/doubleProduct.ts';
import { factor, nuclearNorm, type Matrix, type Pause } from './linalg.ts';

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
  // With fewer pictures than features, the scaled rows are such an F themselves, and an exact one.
  return { mu, factor: n <= d ? scaled : await factor(await gram(scaled), pause) };
}

/** The same of stored statistics. */
export async function statisticsFrom(mu: Float64Array, sigma: Matrix, pause: Pause): Promise<Statistics> {
  return { mu, factor: await factor(sigma, pause) };
}

/** Covariance [d,d] of features [n,d], as `np.cov(features, rowvar=False)`. */
export function covariance(features: Matrix): Promise<Matrix> {
  const scale = 1 / Math.sqrt(features.rows - 1);
  const { centred } = centre(features);
  return gram({ ...centred, data: centred.data.map((value) => value * scale) });
}

/**
 * Fréchet distance of two Gaussians (Heusel et al. 2017): |μ₁−μ₂|² + tr Σ₁ + tr Σ₂ − 2·tr √(Σ₁Σ₂). The last trace is the sum of the
 * singular values of F₁F₂ᵀ, which needs no square root of a matrix and holds where covariances are singular.
 */
export async function frechetDistance(a: Statistics, b: Statistics, pause: Pause): Promise<number> {
  const means = a.mu.reduce((sum, value, i) => sum + (value - (b.mu[i] as number)) ** 2, 0);
  const common = await nuclearNorm(await doubleProduct(a.factor, b.factor, { transB: true }), pause);
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

/** xᵀ·x: [n,d] → [d,d]. */
const gram = (x: Matrix): Promise<Matrix> => doubleProduct(x, x, { transA: true });
