import { ColourMixture } from './colourMixture.ts';
import { GridCut, neighbours } from './gridCut.ts';

/** 8-bit RGB, row by row. */
export interface Rgb {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** What is known of a pixel. `unknown…` begins on that side, and may change. */
export const known = { background: 0, subject: 1, unknownBackground: 2, unknownSubject: 3 } as const;

/** Of each pair of opposite neighbours, the even one. */
const forward = neighbours.filter((_, direction) => direction % 2 === 0);

/** Weight of neighbours that differ least, as in OpenCV's `grabCut`. */
const gamma = 50;

/** The colours of both sides. */
export interface Colours {
  readonly subject: ColourMixture;
  readonly background: ColourMixture;
}

/**
 * GrabCut (Rother, Kolmogorov & Blake 2004), as OpenCV's `grabCut` does it: colour mixtures of both sides and a least cut, in turns.
 * `trimap` holds a value of `known` for each pixel. Returns 1 where the subject is; no colours where one side is empty.
 */
export function grabCut(
  picture: Rgb,
  trimap: Uint8Array,
  rounds = 5,
): { readonly subject: Uint8Array; readonly colours: Colours | undefined } {
  let subject: Uint8Array = trimap.map((value) => value & 1);
  let colours: Colours | undefined;
  const weights = edgeWeights(picture);
  for (let round = 0; round < rounds; round++) {
    const now = subject;
    if (!now.includes(1) || !now.includes(0)) break;
    const { data } = picture;
    colours = {
      subject: ColourMixture.of(data, (pixel) => now[pixel] === 1, colours?.subject),
      background: ColourMixture.of(data, (pixel) => now[pixel] === 0, colours?.background),
    };
    subject = leastCut(picture, trimap, colours, weights);
    if (subject.every((value, pixel) => value === now[pixel])) break;
  }
  return { subject, colours };
}

/** The same with colours that are known, once. `odds`: log-odds of each pixel to be the subject's, by something else than its colour. */
export function cutByColours(
  picture: Rgb,
  trimap: Uint8Array,
  colours: Colours,
  odds?: Float32Array,
): Uint8Array {
  return leastCut(picture, trimap, colours, edgeWeights(picture), odds);
}

function leastCut(
  { width, height, data }: Rgb,
  trimap: Uint8Array,
  { subject, background }: Colours,
  weights: Float32Array,
  odds?: Float32Array,
): Uint8Array {
  const count = width * height;
  const matters = nearUnknown(trimap, width, height);
  const cut = new GridCut(width, height);
  for (let pixel = 0; pixel < count; pixel++) {
    if (!matters[pixel]) continue;
    const value = trimap[pixel] as number;
    if (value === known.background) cut.setTerminals(pixel, 0, 9 * gamma);
    else if (value === known.subject) cut.setTerminals(pixel, 9 * gamma, 0);
    else {
      const more = odds?.[pixel] ?? 0;
      cut.setTerminals(
        pixel,
        background.cost(data, pixel) + Math.max(0, more),
        subject.cost(data, pixel) + Math.max(0, -more),
      );
    }
  }
  for (const [i, [dx, dy]] of forward.entries()) {
    for (let pixel = 0; pixel < count; pixel++) {
      const weight = weights[i * count + pixel] as number;
      if (weight > 0 && matters[pixel] && matters[pixel + dy * width + dx]) cut.join(pixel, 2 * i, weight);
    }
  }
  const found = cut.solve();
  return trimap.map((value, pixel) => (value <= known.subject ? value : (found[pixel] as number)));
}

/** The pixels that are unknown, and their neighbours: the others cut nothing. */
function nearUnknown(trimap: Uint8Array, width: number, height: number): Uint8Array {
  const found = new Uint8Array(trimap.length);
  for (let pixel = 0; pixel < trimap.length; pixel++) {
    if ((trimap[pixel] as number) <= known.subject) continue;
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++)
      for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++)
        found[row * width + column] = 1;
  }
  return found;
}

/** γ/distance · exp(−β·‖colour difference‖²) of each pixel and its neighbour in the four `forward` directions; 0 at the picture's end. */
function edgeWeights({ width, height, data }: Rgb): Float32Array {
  const count = width * height;
  const squares = new Float32Array(4 * count).fill(-1);
  let [sum, pairs] = [0, 0];
  for (const [i, [dx, dy]] of forward.entries())
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue;
        const [a, b] = [3 * (y * width + x), 3 * ((y + dy) * width + x + dx)];
        let square = 0;
        for (let channel = 0; channel < 3; channel++)
          square += ((data[a + channel] as number) - (data[b + channel] as number)) ** 2;
        squares[i * count + y * width + x] = square;
        sum += square;
        pairs++;
      }
  const beta = sum > 0 ? 1 / ((2 * sum) / pairs) : 0;
  return squares.map((square, i) =>
    square < 0 ? 0 : (gamma / (i >= 2 * count ? Math.SQRT2 : 1)) * Math.exp(-beta * square),
  );
}
