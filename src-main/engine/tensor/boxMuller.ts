/**
 * Box–Muller as torch's x86 build does it for 16 elements and more (`normal_fill_16_AVX2`, whose log, sin and cos are
 * the Cephes polynomials of J. Pommier's avx_mathfun, compiled with fused multiply-add). A correctly rounded log or
 * cosine would differ in the last bits, so the polynomials are evaluated here in the same order with f32 rounding.
 */

const f = Math.fround;
/** a·b + c rounded once to f32: the product of two f32 is exact in double. */
const fma = (a: number, b: number, c: number): number => f(a * b + c);

const logPolynomial = Float32Array.of(
  7.0376836292e-2,
  -1.151461031e-1,
  1.167699874e-1,
  -1.2420140846e-1,
  1.4249322787e-1,
  -1.6668057665e-1,
  2.0000714765e-1,
  -2.4999993993e-1,
  3.3333331174e-1,
);
const sqrtHalf = f(Math.SQRT1_2);
const ln2Low = f(-2.1219444e-4);
const ln2High = f(0.693359375);

const bits = new Int32Array(1);
const asFloat = new Float32Array(bits.buffer);

/** Natural logarithm of a normal positive f32. */
function log32(value: number): number {
  asFloat[0] = value;
  const word = bits[0] as number;
  bits[0] = (word & 0x7fffff) | 0x3f000000;
  const mantissa = asFloat[0];
  let exponent = (word >>> 23) - 126;
  let x = f(mantissa - 1);
  if (mantissa < sqrtHalf) {
    exponent -= 1;
    x = f(x + mantissa);
  }
  const z = f(x * x);
  let y = logPolynomial[0] as number;
  for (let k = 1; k < 9; k++) y = fma(y, x, logPolynomial[k] as number);
  y = fma(f(y * x), z, f(exponent * ln2Low));
  y = fma(z, -0.5, y);
  return fma(exponent, ln2High, f(x + y));
}

const fourOverPi = f(1.27323954473516);
const [piQuarterA, piQuarterB, piQuarterC] = [
  f(0.78515625),
  f(2.4187564849853516e-4),
  f(3.774894977445941e-8),
];
const [cos0, cos1, cos2] = [f(2.443315711809948e-5), f(-1.388731625493765e-3), f(4.166664568298827e-2)];
const [sin0, sin1, sin2] = [f(-1.9515295891e-4), f(8.3321608736e-3), f(-1.6666654611e-1)];
const twoPi = f(2 * Math.PI);

/** Turns eight uniform pairs (j, j+8) of `values` from `start` into eight normal pairs, in place. */
export function boxMuller16(values: Float32Array, start: number): void {
  for (let j = start; j < start + 8; j++) {
    const radius = f(Math.sqrt(f(-2 * log32(f(1 - (values[j] as number))))));
    const theta = f(twoPi * (values[j + 8] as number));

    // Reduce the angle to [−π/4, π/4] around a multiple of π/2, then one polynomial each for sine and cosine.
    const octant = (Math.trunc(f(theta * fourOverPi)) + 1) & ~1;
    let x = fma(octant, -piQuarterA, theta);
    x = fma(octant, -piQuarterB, x);
    x = fma(octant, -piQuarterC, x);
    const z = f(x * x);
    const cosine = f(fma(f(fma(fma(cos0, z, cos1), z, cos2) * z), z, -f(z * 0.5)) + 1);
    const sine = fma(f(fma(fma(sin0, z, sin1), z, sin2) * z), x, x);

    const swapped = (octant & 2) !== 0;
    const sineSign = octant & 4 ? -1 : 1;
    const cosineSign = ~(octant - 2) & 4 ? -1 : 1;
    values[j] = radius * cosineSign * (swapped ? sine : cosine);
    values[j + 8] = radius * sineSign * (swapped ? cosine : sine);
  }
}
