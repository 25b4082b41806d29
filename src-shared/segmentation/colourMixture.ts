/** Components of a mixture, as in GrabCut. */
const components = 5;
const rounds = 10;

interface Component {
  readonly weight: number;
  readonly mean: Float64Array;
  /** The inverse covariance, row by row. */
  readonly inverse: Float64Array;
  readonly determinant: number;
}

/** Colours of a region as Gaussians (Rother, Kolmogorov & Blake 2004, "GrabCut"). */
export class ColourMixture {
  private constructor(private readonly parts: readonly Component[]) {}

  /** Learns from the pixels of `rgb` that `isIn` names; begins with k-means, then goes on from `before` where that is given. */
  static of(rgb: Uint8Array, isIn: (pixel: number) => boolean, before?: ColourMixture): ColourMixture {
    const all: number[] = [];
    for (let pixel = 0; pixel < rgb.length / 3; pixel++) if (isIn(pixel)) all.push(pixel);
    const pixels = Uint32Array.from(all);
    const labels = before
      ? Uint8Array.from(pixels, (pixel) => before.nearest(rgb, pixel))
      : kMeans(rgb, pixels);
    const parts: Component[] = [];
    for (let k = 0; k < components; k++) {
      const own = pixels.filter((_, i) => labels[i] === k);
      if (own.length > 0) parts.push(component(rgb, own, own.length / pixels.length));
    }
    return new ColourMixture(parts);
  }

  /** −log of how likely a pixel's colour is here. */
  cost(rgb: Uint8Array, pixel: number): number {
    let sum = 0;
    for (const part of this.parts) sum += part.weight * density(part, rgb, pixel);
    return -Math.log(Math.max(sum, 1e-300));
  }

  private nearest(rgb: Uint8Array, pixel: number): number {
    let [best, most, k] = [0, -Infinity, 0];
    for (const part of this.parts) {
      const value = density(part, rgb, pixel);
      if (value > most) [best, most] = [k, value];
      k++;
    }
    return best;
  }
}

function density({ mean, inverse: m, determinant }: Component, rgb: Uint8Array, pixel: number): number {
  const r = (rgb[3 * pixel] as number) - (mean[0] as number);
  const g = (rgb[3 * pixel + 1] as number) - (mean[1] as number);
  const b = (rgb[3 * pixel + 2] as number) - (mean[2] as number);
  const square =
    r * ((m[0] as number) * r + 2 * ((m[1] as number) * g + (m[2] as number) * b)) +
    g * ((m[4] as number) * g + 2 * (m[5] as number) * b) +
    b * (m[8] as number) * b;
  return Math.exp(-0.5 * square) / Math.sqrt(determinant);
}

function component(rgb: Uint8Array, pixels: Uint32Array, weight: number): Component {
  const mean = new Float64Array(3);
  const c = new Float64Array(9);
  for (const pixel of pixels)
    for (let i = 0; i < 3; i++) {
      const value = rgb[3 * pixel + i] as number;
      mean[i] = (mean[i] as number) + value / pixels.length;
      for (let j = 0; j < 3; j++)
        c[3 * i + j] = (c[3 * i + j] as number) + (value * (rgb[3 * pixel + j] as number)) / pixels.length;
    }
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++)
      // A region of one colour has no spread of its own; OpenCV adds 0.01, which 8-bit colours are too coarse for.
      c[3 * i + j] = (c[3 * i + j] as number) - (mean[i] as number) * (mean[j] as number) + (i === j ? 1 : 0);
  const minor = (a: number, b: number, d: number, e: number): number =>
    (c[a] as number) * (c[b] as number) - (c[d] as number) * (c[e] as number);
  const determinant =
    (c[0] as number) * minor(4, 8, 5, 7) -
    (c[1] as number) * minor(3, 8, 5, 6) +
    (c[2] as number) * minor(3, 7, 4, 6);
  const adjugate = [
    ...[minor(4, 8, 5, 7), minor(2, 7, 1, 8), minor(1, 5, 2, 4)],
    ...[minor(5, 6, 3, 8), minor(0, 8, 2, 6), minor(2, 3, 0, 5)],
    ...[minor(3, 7, 4, 6), minor(1, 6, 0, 7), minor(0, 4, 1, 3)],
  ];
  return { weight, mean, determinant, inverse: Float64Array.from(adjugate, (value) => value / determinant) };
}

/** Labels by Lloyd's algorithm; it begins with the pixels that are farthest from each other, so it is the same each time. */
function kMeans(rgb: Uint8Array, pixels: Uint32Array): Uint8Array {
  const centres = new Float64Array(3 * components);
  const labels = new Uint8Array(pixels.length);
  const place = (k: number, pixel: number): void => {
    for (let channel = 0; channel < 3; channel++)
      centres[3 * k + channel] = rgb[3 * pixel + channel] as number;
  };
  const far = (k: number, pixel: number): number => {
    const r = (centres[3 * k] as number) - (rgb[3 * pixel] as number);
    const g = (centres[3 * k + 1] as number) - (rgb[3 * pixel + 1] as number);
    const b = (centres[3 * k + 2] as number) - (rgb[3 * pixel + 2] as number);
    return r * r + g * g + b * b;
  };
  const near = new Float64Array(pixels.length).fill(Infinity);
  place(0, pixels[0] ?? 0);
  for (let k = 1; k < components; k++) {
    let [farthest, most] = [pixels[0] ?? 0, -1];
    for (let i = 0; i < pixels.length; i++) {
      const pixel = pixels[i] as number;
      const distance = Math.min(near[i] as number, far(k - 1, pixel));
      near[i] = distance;
      if (distance > most) [farthest, most] = [pixel, distance];
    }
    place(k, farthest);
  }
  const [sums, counts] = [new Float64Array(3 * components), new Float64Array(components)];
  for (let round = 0; round < rounds; round++) {
    sums.fill(0);
    counts.fill(0);
    for (let i = 0; i < pixels.length; i++) {
      const pixel = pixels[i] as number;
      let [best, least] = [0, Infinity];
      for (let k = 0; k < components; k++) {
        const distance = far(k, pixel);
        if (distance < least) {
          best = k;
          least = distance;
        }
      }
      labels[i] = best;
      counts[best] = (counts[best] as number) + 1;
      for (let channel = 0; channel < 3; channel++)
        sums[3 * best + channel] =
          (sums[3 * best + channel] as number) + (rgb[3 * pixel + channel] as number);
    }
    for (let k = 0; k < components; k++)
      if ((counts[k] as number) > 0)
        for (let channel = 0; channel < 3; channel++)
          centres[3 * k + channel] = (sums[3 * k + channel] as number) / (counts[k] as number);
  }
  return labels;
}
