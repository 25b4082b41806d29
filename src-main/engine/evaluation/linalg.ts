import { doubleProduct, type Doubles } from '../runtime/doubleProduct.ts';

/** A dense matrix of doubles, rows one after the other. */
export type Matrix = Doubles;

/** Called between steps of long work so that other things get a turn; may throw to end it. */
export type Pause = () => Promise<void>;

/** Columns handled together, so that their effect on the rest of a matrix is one product. Fewer where each costs two passes. */
const panel = 32;
const wide = 128;

/**
 * F [r,d] with S = FᵀF, of a symmetric S [d,d] without negative eigenvalues: Cholesky's decomposition with pivots, which ends at
 * S's rank (Higham 2002, Accuracy and Stability of Numerical Algorithms, 10.3; by panels as LAPACK's `dpstrf`).
 */
export async function factor(s: Matrix, pause: Pause): Promise<Matrix> {
  const n = s.rows;
  const left = Float64Array.from({ length: n }, (_, i) => s.data[i * n + i] as number);
  const least = n * Number.EPSILON * Math.max(...left);
  const found: Float64Array[] = [];
  let rest = s;
  while (found.length < n) {
    await pause();
    const own: Float64Array[] = [];
    while (own.length < wide && found.length + own.length < n) {
      let pivot = 0;
      for (let j = 1; j < n; j++) if ((left[j] as number) > (left[pivot] as number)) pivot = j;
      const diagonal = left[pivot] as number;
      if (!(diagonal > least)) break;
      const next = row(rest, pivot).slice();
      for (const known of own) addScaled(next, -(known[pivot] as number), known);
      const scale = 1 / Math.sqrt(diagonal);
      for (let j = 0; j < n; j++) {
        const value = (next[j] as number) * scale;
        next[j] = value;
        left[j] = (left[j] as number) - value * value;
      }
      left[pivot] = 0;
      own.push(next);
    }
    found.push(...own);
    if (own.length < wide) break;
    const rows = stacked(own);
    rest = await doubleProduct(rows, rows, { transA: true, minusFrom: rest });
  }
  return found.length > 0 ? stacked(found) : { rows: 0, columns: n, data: new Float64Array() };
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

/**
 * Golub & Van Loan, Matrix Computations, 5.4.8: [m,n], m ≥ n, by reflections from both sides; by panels, as LAPACK's `dgebrd`: a
 * panel's reflections I − t·v·vᵀ from the left and I − t·u·uᵀ from the right make A into A − V·Yᵀ − X·Uᵀ.
 */
async function bidiagonal(matrix: Matrix, pause: Pause): Promise<{ diagonal: number[]; above: number[] }> {
  const [diagonal, above]: [number[], number[]] = [[], []];
  for (let a = matrix; a.columns > 0;) {
    await pause();
    const { rows: m, columns: n } = a;
    const [V, Y, X, U]: Float64Array[][] = [[], [], [], []] as const;
    const count = Math.min(panel, n);
    for (let i = 0; i < count; i++) {
      const v = new Float64Array(m);
      for (let r = i; r < m; r++) v[r] = a.data[r * n + i] as number;
      for (const [j, y] of Y.entries()) addScaled(v, -(y[i] as number), V[j] as Float64Array);
      for (const [j, u] of U.entries()) addScaled(v, -(u[i] as number), X[j] as Float64Array);
      const left = reflector(v, i);
      diagonal.push(left.image);
      if (i === n - 1) break;
      const y = transposedTimes(a, v);
      for (let j = 0; j < i; j++) {
        addScaled(y, -dot(V[j] as Float64Array, v), Y[j] as Float64Array);
        addScaled(y, -dot(X[j] as Float64Array, v), U[j] as Float64Array);
      }
      scale(y, left.t);
      V.push(v);
      Y.push(y);

      const u = row(a, i).slice();
      for (const [j, one] of V.entries()) addScaled(u, -(one[i] as number), Y[j] as Float64Array);
      for (const [j, one] of X.entries()) addScaled(u, -(one[i] as number), U[j] as Float64Array);
      const right = reflector(u, i + 1);
      above.push(right.image);
      const x = times(a, u);
      for (const [j, one] of Y.entries()) addScaled(x, -dot(one, u), V[j] as Float64Array);
      for (const [j, one] of U.entries()) addScaled(x, -dot(one, u), X[j] as Float64Array);
      scale(x, right.t);
      X.push(x);
      U.push(u);
    }
    if (count === n) break;
    const columns = [...V, ...X].map((column) => column.subarray(count));
    const rows = [...Y, ...U].map((line) => line.subarray(count));
    a = await doubleProduct(stacked(columns), stacked(rows), { transA: true, minusFrom: inner(a, count) });
  }
  return { diagonal, above };
}

/** A reflection I − t·v·vᵀ (Householder 1958) that maps x from `start` on to (image,0,…) and leaves what is before; x becomes v. */
function reflector(x: Float64Array, start: number): { t: number; image: number } {
  x.fill(0, 0, start);
  const first = x[start] as number;
  const length = Math.sqrt(dot(x, x));
  if (length === 0 || start === x.length - 1) return { t: 0, image: first };
  const image = first > 0 ? -length : length;
  x[start] = first - image;
  return { t: 1 / (length * (length + Math.abs(first))), image };
}

/** Eigenvalues of a symmetric tridiagonal matrix by implicit QL (EISPACK's `imtql1`). Both arrays are used up. */
function tridiagonalEigenvalues(d: Float64Array, off: Float64Array): Float64Array {
  const n = d.length;
  const e = new Float64Array(n);
  e.set(off.subarray(0, n - 1));
  // Relative to the largest: their sum needs no more.
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

const row = ({ data, columns }: Matrix, i: number): Float64Array =>
  data.subarray(i * columns, (i + 1) * columns);

/** Without its first `count` rows and columns. */
function inner(matrix: Matrix, count: number): Matrix {
  const [rows, columns] = [matrix.rows - count, matrix.columns - count];
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) data.set(row(matrix, i + count).subarray(count), i * columns);
  return { rows, columns, data };
}

function stacked(lines: readonly Float64Array[]): Matrix {
  const columns = (lines[0] as Float64Array).length;
  const data = new Float64Array(lines.length * columns);
  for (const [i, line] of lines.entries()) data.set(line, i * columns);
  return { rows: lines.length, columns, data };
}

function dot(a: Float64Array, b: Float64Array): number {
  let [s0, s1] = [0, 0];
  let i = 0;
  for (; i + 1 < a.length; i += 2) {
    s0 += (a[i] as number) * (b[i] as number);
    s1 += (a[i + 1] as number) * (b[i + 1] as number);
  }
  return i < a.length ? s0 + s1 + (a[i] as number) * (b[i] as number) : s0 + s1;
}

function addScaled(to: Float64Array, factor: number, from: Float64Array): void {
  for (let j = 0; j < to.length; j++) to[j] = (to[j] as number) + factor * (from[j] as number);
}

function scale(values: Float64Array, factor: number): void {
  for (let j = 0; j < values.length; j++) values[j] = (values[j] as number) * factor;
}

/** a·x, four rows at a time: x is read once for them. */
function times({ rows: m, columns: n, data }: Matrix, x: Float64Array): Float64Array {
  const result = new Float64Array(m);
  for (let i = 0; i < m; i += 4) {
    const [a, b, c, d] = [i * n, (i + 1) * n, (i + 2) * n, (i + 3) * n];
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    if (i + 4 <= m) {
      for (let j = 0; j < n; j++) {
        const value = x[j] as number;
        s0 += (data[a + j] as number) * value;
        s1 += (data[b + j] as number) * value;
        s2 += (data[c + j] as number) * value;
        s3 += (data[d + j] as number) * value;
      }
      result[i] = s0;
      result[i + 1] = s1;
      result[i + 2] = s2;
      result[i + 3] = s3;
    } else for (let r = i; r < m; r++) result[r] = dot(data.subarray(r * n, (r + 1) * n), x);
  }
  return result;
}

/** aᵀ·x, four rows at a time: the result is read and written once for them. */
function transposedTimes({ rows: m, columns: n, data }: Matrix, x: Float64Array): Float64Array {
  const result = new Float64Array(n);
  let i = 0;
  for (; i + 4 <= m; i += 4) {
    const [a, b, c, d] = [i * n, (i + 1) * n, (i + 2) * n, (i + 3) * n];
    const [x0, x1, x2, x3] = [x[i] as number, x[i + 1] as number, x[i + 2] as number, x[i + 3] as number];
    for (let j = 0; j < n; j++)
      result[j] =
        (result[j] as number) +
        (x0 * (data[a + j] as number) + x1 * (data[b + j] as number)) +
        (x2 * (data[c + j] as number) + x3 * (data[d + j] as number));
  }
  for (; i < m; i++) addScaled(result, x[i] as number, data.subarray(i * n, (i + 1) * n));
  return result;
}

function transposed({ rows, columns, data }: Matrix): Matrix {
  const turned = new Float64Array(data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) turned[j * rows + i] = data[i * columns + j] as number;
  return { rows: columns, columns: rows, data: turned };
}
