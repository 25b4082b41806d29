import type { Picture } from './pixels.ts';

/** Pillow's filters by its names, in the order of its numbers 0 to 5. */
export const resampleFilters = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;
export type ResampleFilter = (typeof resampleFilters)[number];

type Kernel = { readonly reach: number; readonly at: (x: number) => number };

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** Pillow's filter functions (src/libImaging/Resample.c); bicubic is Keys' with a = −0.5. */
const kernels: Record<Exclude<ResampleFilter, 'nearest'>, Kernel> = {
  box: { reach: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { reach: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    reach: 1,
    at: (x) => (Math.abs(x) >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(x * Math.PI))),
  },
  bicubic: {
    reach: 2,
    at: (signed) => {
      const [x, a] = [Math.abs(signed), -0.5];
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    },
  },
  lanczos: { reach: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

interface Contribution {
  readonly first: number;
  readonly weights: Float64Array;
}

/** The input pixels behind each output pixel, the filter widened when shrinking (Pillow's `precompute_coeffs`). */
function contributions(inputSize: number, outputSize: number, { reach, at }: Kernel): Contribution[] {
  const scale = inputSize / outputSize;
  const stretch = Math.max(scale, 1);
  const support = reach * stretch;
  return Array.from({ length: outputSize }, (_, output) => {
    const center = (output + 0.5) * scale;
    const first = Math.max(Math.trunc(center - support + 0.5), 0);
    const end = Math.min(Math.trunc(center + support + 0.5), inputSize);
    // Multiplied by reciprocals, not divided: the last bit decides some roundings.
    const weights = Float64Array.from({ length: end - first }, (_, i) =>
      at((first + i - center + 0.5) * (1 / stretch)),
    );
    const share = 1 / weights.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: weights.map((weight) => weight * share) };
  });
}

/** Weights of bytes are held as integers of this many fractional bits, as in Pillow. */
const precision = 22;

function toIntegers(taps: readonly Contribution[]): Contribution[] {
  return taps.map(({ first, weights }) => ({
    first,
    weights: weights.map((weight) => Math.trunc((weight < 0 ? -0.5 : 0.5) + weight * 2 ** precision)),
  }));
}

type Samples = Uint8Array | Float32Array;

/** What one pass reads or writes: three values a pixel, `along` the resized axis and `across` from line to line. */
interface Lines<S extends Samples> {
  readonly data: S;
  readonly along: number;
  readonly across: number;
}

/** Resizes one axis of `count` lines; `offset` and `round` make a sum the value that is stored. */
function resizeAxis<S extends Samples>(
  input: Lines<S>,
  output: Lines<S>,
  taps: readonly Contribution[],
  count: number,
  offset: number,
  round: (sum: number) => number,
): void {
  for (let line = 0; line < count; line++) {
    for (let i = 0; i < taps.length; i++) {
      const { first, weights } = taps[i] as Contribution;
      let [red, green, blue] = [offset, offset, offset];
      let at = line * input.across + first * input.along;
      for (let k = 0; k < weights.length; k++) {
        const weight = weights[k] as number;
        red += (input.data[at] as number) * weight;
        green += (input.data[at + 1] as number) * weight;
        blue += (input.data[at + 2] as number) * weight;
        at += input.along;
      }
      const out = line * output.across + i * output.along;
      output.data[out] = round(red);
      output.data[out + 1] = round(green);
      output.data[out + 2] = round(blue);
    }
  }
}

/** One axis after the other, each pass stored in an array of its own. */
function resizeBoth<S extends Samples>(
  from: { data: S; width: number; height: number },
  to: { width: number; height: number },
  make: (length: number) => S,
  taps: (from: number, to: number) => readonly Contribution[],
  offset: number,
  round: (sum: number) => number,
): S {
  const across = (data: S, height: number): S => {
    const result = make(to.width * height * 3);
    const rows = (of: S, width: number): Lines<S> => ({ data: of, along: 3, across: width * 3 });
    const input = rows(data, from.width);
    resizeAxis(input, rows(result, to.width), taps(from.width, to.width), height, offset, round);
    return result;
  };
  const down = (data: S, width: number): S => {
    const result = make(width * to.height * 3);
    const columns = (of: S): Lines<S> => ({ data: of, along: width * 3, across: 3 });
    resizeAxis(columns(data), columns(result), taps(from.height, to.height), width, offset, round);
    return result;
  };
  const lost = { width: from.width - to.width, height: from.height - to.height };
  // As Pillow 13 decides; until 12 rows always came first. The rounding between the passes shows which.
  const heightFirst = lost.height > 0 && lost.height > 2 * lost.width;
  return heightFirst
    ? across(down(from.data, from.width), to.height)
    : down(across(from.data, from.height), to.width);
}

/** `Image.resize((width, height), filter)` of Pillow 13 to the bit: each of the two passes rounds to bytes. */
export function resize(picture: Picture, width: number, height: number, filter: ResampleFilter): Picture {
  if (filter === 'nearest') return nearest(picture, width, height);
  const data = resizeBoth(
    picture,
    { width, height },
    (length) => new Uint8Array(length),
    (from, to) => toIntegers(contributions(from, to, kernels[filter])),
    2 ** (precision - 1),
    (sum) => Math.min(255, Math.max(0, sum >> precision)),
  );
  return { width, height, data };
}

/**
 * As `resize`, of values that are not rounded: what Pillow does with each channel as an image of mode `F`. Returns three
 * values a pixel on the scale of bytes, which sharp filters can leave.
 */
export function resizeFloat(
  picture: Picture,
  width: number,
  height: number,
  filter: Exclude<ResampleFilter, 'nearest'>,
): Float32Array {
  return resizeBoth(
    { ...picture, data: Float32Array.from(picture.data) },
    { width, height },
    (length) => new Float32Array(length),
    (from, to) => contributions(from, to, kernels[filter]),
    0,
    (sum) => sum,
  );
}

/** Takes the pixel below the centre of each output pixel. */
function nearest(picture: Picture, width: number, height: number): Picture {
  const data = new Uint8Array(width * height * 3);
  const columns = steps(picture.width, width);
  for (const [y, row] of steps(picture.height, height).entries()) {
    for (const [x, column] of columns.entries()) {
      const from = 3 * (row * picture.width + column);
      data.set(picture.data.subarray(from, from + 3), 3 * (y * width + x));
    }
  }
  return { width, height, data };
}

/** Added up, not multiplied: rounding decides whether a centre on an edge falls to one side, as in Pillow's `ImagingScaleAffine`. */
function steps(from: number, to: number): number[] {
  const step = from / to;
  let at = step * 0.5;
  return Array.from({ length: to }, () => {
    const pixel = Math.min(from - 1, Math.trunc(at));
    at += step;
    return pixel;
  });
}
