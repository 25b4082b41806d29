/** A dense matrix of doubles, rows one after the other. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** Called between steps of long work, to let others have a turn; may throw to end it. */
export type Pause = () => Promise<void>;

const row = ({ data, columns }: Matrix, i: number): Float64Array =>
  data.subarray(i * columns, (i + 1) * columns);

function dot(a: Float64Array, b: Float64Array, from = 0): number {
  let [s0, s1] = [0, 0];
  let i = from;
  for (; i + 1 < a.length; i += 2) {
    s0 += (a[i] as number) * (b[i] as number);
    s1 += (a[i + 1] as number) * (b[i + 1] as number);
  }
  return i < a.length ? s0 + s1 + (a[i] as number) * (b[i] as number) : s0 + s1;
}

/** a·bᵀ: [r,k] and [s,k] → [r,s]. */
export async function timesTransposed(a: Matrix, b: Matrix, pause: Pause): Promise<Matrix> {
  const data = new Float64Array(a.rows * b.rows);
  for (let i = 0; i < a.rows; i++) {
    if (i % 64 === 0) await pause();
    const left = row(a, i);
    for (let j = 0; j < b.rows; j++) data[i * b.rows + j] = dot(left, row(b, j));
  }
  return { rows: a.rows, columns: b.rows, data };
}

/**
 * F [r,d] with S = FᵀF, of a symmetric S [d,d] without negative eigenvalues: Cholesky's decomposition with pivots, which ends at
 * S's rank (Higham 2002, Accuracy and Stability of Numerical Algorithms, 10.3).
 */
export async function factor(s: Matrix, pause: Pause): Promise<Matrix> {
  const n = s.rows;
  const left = Float64Array.from({ length: n }, (_, i) => s.data[i * n + i] as number);
  const least = n * Number.EPSILON * Math.max(...left);
  const found: Float64Array[] = [];
  while (found.length < n) {
    if (found.length % 64 === 0) await pause();
    let pivot = 0;
    for (let j = 1; j < n; j++) if ((left[j] as number) > (left[pivot] as number)) pivot = j;
    const diagonal = left[pivot] as number;
    if (!(diagonal > least)) break;
    const next = s.data.slice(pivot * n, (pivot + 1) * n);
    for (const known of found) {
      const share = known[pivot] as number;
      for (let j = 0; j < n; j++) next[j] = (next[j] as number) - share * (known[j] as number);
    }
    const scale = 1 / Math.sqrt(diagonal);
    for (let j = 0; j < n; j++) {
      const value = (next[j] as number) * scale;
      next[j] = value;
      left[j] = (left[j] as number) - value * value;
    }
    left[pivot] = 0;
    found.push(next);
  }
  const data = new Float64Array(found.length * n);
  for (const [i, values] of found.entries()) data.set(values, i * n);
  return { rows: found.length, columns: n, data };
}

/** Sum of the singular values: Golub and Kahan's reduction to two diagonals, then the eigenvalues of [[0,Bᵀ],[B,0]], which are ±σ. */
export async function nuclearNorm(matrix: Matrix, pause: Pause): Promise<number> {
  if (!matrix.data.length) return 0;
  const tall = matrix.rows >= matrix.columns ? matrix : transposed(matrix);
  const { diagonal, above } = await bidiagonal(tall, pause);
  const off = diagonal.flatMap((value, i) => (i < above.length ? [value, above[i] as number] : [value]));
  await pause();
  const eigenvalues = tridiagonalEigenvalues(new Float64Array(2 * diagonal.length), Float64Array.from(off));
  return eigenvalues.reduce((sum, value) => sum + Math.abs(value), 0) / 2;
}

function transposed({ rows, columns, data }: Matrix): Matrix {
  const turned = new Float64Array(data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) turned[j * rows + i] = data[i * columns + j] as number;
  return { rows: columns, columns: rows, data: turned };
}

/** A reflection I − t·v·vᵀ (Householder 1958) that maps x to (image,0,…); x becomes v. */
function reflector(x: Float64Array): { t: number; image: number } {
  const first = x[0] as number;
  const length = Math.sqrt(dot(x, x));
  if (length === 0 || x.length === 1) return { t: 0, image: first };
  const image = first > 0 ? -length : length;
  x[0] = first - image;
  return { t: 1 / (length * (length + Math.abs(first))), image };
}

/** Golub & Van Loan, Matrix Computations, 5.4.8: [m,n], m ≥ n, by reflections from both sides. The matrix is used up. */
async function bidiagonal(matrix: Matrix, pause: Pause): Promise<{ diagonal: number[]; above: number[] }> {
  const { rows: m, columns: n } = matrix;
  const [diagonal, above]: [number[], number[]] = [[], []];
  const rest = (i: number, from: number): Float64Array => row(matrix, i).subarray(from);
  for (let k = 0; k < n; k++) {
    if (k % 32 === 0) await pause();
    const v = Float64Array.from({ length: m - k }, (_, i) => matrix.data[(k + i) * n + k] as number);
    const left = reflector(v);
    diagonal.push(left.image);
    if (k === n - 1) break;
    const w = new Float64Array(n - k - 1);
    for (let i = k; i < m; i++) addScaled(w, v[i - k] as number, rest(i, k + 1));
    addScaled(rest(k, k + 1), -left.t * (v[0] as number), w);
    const u = rest(k, k + 1).slice();
    const right = reflector(u);
    above.push(right.image);
    for (let i = k + 1; i < m; i++) {
      const values = rest(i, k + 1);
      addScaled(values, -left.t * (v[i - k] as number), w);
      if (right.t) addScaled(values, -right.t * dot(values, u), u);
    }
  }
  return { diagonal, above };
}

function addScaled(to: Float64Array, factor: number, from: Float64Array): void {
  for (let j = 0; j < to.length; j++) to[j] = (to[j] as number) + factor * (from[j] as number);
}

/** Eigenvalues of a symmetric tridiagonal matrix by implicit QL (EISPACK's `imtql1`). Both arrays are used up. */
function tridiagonalEigenvalues(d: Float64Array, off: Float64Array): Float64Array {
  const n = d.length;
  const e = new Float64Array(n);
  e.set(off.subarray(0, n - 1));
  // Against the largest: what is added up needs no more.
  const least = Number.EPSILON * d.reduce((most, _, i) => Math.max(most, Math.abs(e[i] as number)), 0);
  for (let l = 0; l < n; l++) {
    for (let turn = 0; ; turn++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m] as number) > least) m++;
      if (m === l) break;
      if (turn > 200) throw new Error('the eigenvalues do not converge');
      let g = ((d[l + 1] as number) - (d[l] as number)) / (2 * (e[l] as number));
      let r = Math.hypot(g, 1);
      g = (d[m] as number) - (d[l] as number) + (e[l] as number) / (g + (g < 0 ? -r : r));
      let [s, c, p] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * (e[i] as number);
        const b = c * (e[i] as number);
        r = Math.sqrt(f * f + g * g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] = (d[i + 1] as number) - p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = (d[i + 1] as number) - p;
        r = ((d[i] as number) - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
      }
      if (r === 0 && i >= l) continue;
      d[l] = (d[l] as number) - p;
      e[l] = g;
      e[m] = 0;
    }
  }
  return d;
}
