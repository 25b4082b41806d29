/** Eigenvectors of a symmetric matrix by cyclic Jacobi rotations, the largest eigenvalue first. `matrix` is [n,n] and is used up. */
export function eigen(matrix: Float64Array, n: number): { values: number[]; vectors: Float64Array[] } {
  const vectors = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  const at = (i: number, j: number): number => matrix[i * n + j] as number;
  /** Turns rows (or columns, by the strides) p and q. */
  const turn = (m: Float64Array, p: number, q: number, along: number, c: number, s: number): void => {
    for (let k = 0; k < n; k++) {
      const x = m[p + k * along] as number;
      const y = m[q + k * along] as number;
      m[p + k * along] = c * x - s * y;
      m[q + k * along] = s * x + c * y;
    }
  };
  for (let sweep = 0; sweep < 20; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        off += at(p, q) ** 2;
        if (Math.abs(at(p, q)) < 1e-14) continue;
        const theta = (at(q, q) - at(p, p)) / (2 * at(p, q));
        const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        turn(matrix, p * n, q * n, 1, c, t * c);
        turn(matrix, p, q, n, c, t * c);
        turn(vectors, p * n, q * n, 1, c, t * c);
      }
    }
    if (off < 1e-18) break;
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => at(b, b) - at(a, a));
  return {
    values: order.map((i) => at(i, i)),
    vectors: order.map((i) => vectors.slice(i * n, (i + 1) * n)),
  };
}

export interface Axes {
  /** The first `count` principal axes, unit vectors. */
  readonly axes: Float64Array[];
  readonly deviations: number[];
  readonly mean: Float64Array;
}

/** Principal component analysis of `samples`, [m,n] row after row. */
export function principalAxes(samples: Float32Array, n: number, count: number): Axes {
  const m = samples.length / n;
  const mean = new Float64Array(n);
  for (let i = 0; i < samples.length; i++) mean[i % n] = (mean[i % n] as number) + (samples[i] as number) / m;
  const covariance = new Float64Array(n * n);
  const row = new Float64Array(n);
  for (let r = 0; r < m; r++) {
    for (let i = 0; i < n; i++) row[i] = (samples[r * n + i] as number) - (mean[i] as number);
    for (let i = 0; i < n; i++) {
      const x = (row[i] as number) / m;
      for (let j = 0; j < n; j++)
        covariance[i * n + j] = (covariance[i * n + j] as number) + x * (row[j] as number);
    }
  }
  const { values, vectors } = eigen(covariance, n);
  return {
    axes: vectors.slice(0, count),
    deviations: values.slice(0, count).map((value) => Math.sqrt(Math.max(0, value))),
    mean,
  };
}
