import type { Picture } from '../pipelines/pixels.ts';

/** Weights are held as integers of this many fractional bits, as in Pillow. */
const precision = 22;

interface Contribution {
  readonly first: number;
  readonly weights: Int32Array;
}

/**
 * Triangle filter, widened when shrinking: the input pixels behind each output pixel (Pillow's `precompute_coeffs`,
 * src/libImaging/Resample.c).
 */
function contributions(inputSize: number, outputSize: number): Contribution[] {
  const scale = inputSize / outputSize;
  const support = Math.max(scale, 1);
  return Array.from({ length: outputSize }, (_, output) => {
    const center = (output + 0.5) * scale;
    const first = Math.max(Math.trunc(center - support + 0.5), 0);
    const end = Math.min(Math.trunc(center + support + 0.5), inputSize);
    const weights = Array.from({ length: end - first }, (_, i) =>
      Math.max(0, 1 - Math.abs((first + i - center + 0.5) / support)),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return {
      first,
      weights: Int32Array.from(weights, (weight) => Math.trunc(0.5 + (weight / total) * 2 ** precision)),
    };
  });
}

/**
 * Resizes one axis. `stride` is the distance of neighbours along it, `lines` the start of each line in input and output.
 */
function resizeAxis(
  input: Uint8Array,
  output: Uint8Array,
  taps: readonly Contribution[],
  stride: { input: number; output: number },
  starts: Iterable<readonly [input: number, output: number]>,
): void {
  const half = 2 ** (precision - 1);
  for (const [from, to] of starts) {
    for (let i = 0; i < taps.length; i++) {
      const { first, weights } = taps[i] as Contribution;
      for (let channel = 0; channel < 3; channel++) {
        let sum = half;
        let at = from + first * stride.input + channel;
        for (let k = 0; k < weights.length; k++) {
          sum += (input[at] as number) * (weights[k] as number);
          at += stride.input;
        }
        output[to + i * stride.output + channel] = Math.min(255, sum >> precision);
      }
    }
  }
}

/** `Image.resize((width, height), BILINEAR)` of Pillow, to the bit: rows first, rounded to bytes, then columns. */
export function resizeBilinear(picture: Picture, width: number, height: number): Picture {
  const wide = new Uint8Array(width * picture.height * 3);
  const rows = Array.from(
    { length: picture.height },
    (_, y) => [y * picture.width * 3, y * width * 3] as const,
  );
  resizeAxis(picture.data, wide, contributions(picture.width, width), { input: 3, output: 3 }, rows);

  const data = new Uint8Array(width * height * 3);
  const columns = Array.from({ length: width }, (_, x) => [x * 3, x * 3] as const);
  const down = { input: width * 3, output: width * 3 };
  resizeAxis(wide, data, contributions(picture.height, height), down, columns);
  return { width, height, data };
}
