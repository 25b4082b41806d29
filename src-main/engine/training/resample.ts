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
    // Multiplied by reciprocals, not divided: the last bit decides some roundings.
    const weights = Array.from({ length: end - first }, (_, i) =>
      Math.max(0, 1 - Math.abs((first + i - center + 0.5) * (1 / support))),
    );
    const share = 1 / weights.reduce((sum, weight) => sum + weight, 0);
    return {
      first,
      weights: Int32Array.from(weights, (weight) => Math.trunc(0.5 + weight * share * 2 ** precision)),
    };
  });
}

/**
 * Resizes one axis. `stride` is the distance of neighbours along it, `starts` where each line begins in input and output.
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
      let [red, green, blue] = [half, half, half];
      let at = from + first * stride.input;
      for (let k = 0; k < weights.length; k++) {
        const weight = weights[k] as number;
        red += (input[at] as number) * weight;
        green += (input[at + 1] as number) * weight;
        blue += (input[at + 2] as number) * weight;
        at += stride.input;
      }
      const out = to + i * stride.output;
      output[out] = Math.min(255, red >> precision);
      output[out + 1] = Math.min(255, green >> precision);
      output[out + 2] = Math.min(255, blue >> precision);
    }
  }
}

/** `Image.resize((width, height), BILINEAR)` of Pillow (before 13) to the bit: rows first, rounded to bytes, then columns. */
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
