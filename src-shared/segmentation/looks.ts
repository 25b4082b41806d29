import type { Rgb } from './grabCut.ts';

/** What a photo looks like in each cell of a grid: features of a network that knows things, which colours are not. */
export interface Look {
  /** Cells of a side; the photo is squeezed to a square. */
  readonly side: number;
  readonly channels: number;
  /** [side,side,channels], alike in all photos of a set. */
  readonly data: Float32Array;
}

/** A cell is the subject's where so much of it is, and the background's where no more than this. */
const shares = { subject: 0.7, background: 0.3 };
/** Photos are judged by the others in so many groups: one by one where there are no more. */
const groups = 6;
/** Gradient descent with momentum on standardized features. */
const descent = { steps: 200, rate: 0.3, momentum: 0.9, decay: 0.01 };
/** Cells that are learnt from; more only take longer. */
const mostCells = 4000;
/** What the photo's own rim weighs, in photos: the subject is seldom there. */
const rimWeight = 0.5;

/**
 * The log-odds of each pixel to show the subject, by what the *other* photos' subjects and backgrounds look like: logistic regression
 * on the cells of the others, and on the photo's own rim as background. So a thing that stands beside the subject in one photo only is told
 * from it, and a part of the subject that has its own background's colours is found. `found`: 1 where a photo's subject is so far.
 */
export function subjectOdds(
  looks: readonly Look[],
  photos: readonly Rgb[],
  found: readonly Uint8Array[],
): Float32Array[] {
  const cells = standardized(looks);
  const shown = looks.map(({ side }, i) => sharesOf(found[i] as Uint8Array, photos[i] as Rgb, side));
  const among = Math.min(groups, looks.length);
  const odds: Float32Array[] = [];
  for (let group = 0; group < among; group++) {
    const own = [...looks.keys()].filter((i) => i % among === group);
    const examples = looks.map(({ side, channels }, i) => ({
      ...{ channels, data: cells[i] as Float32Array },
      ...(own.includes(i) ? rimOf(side) : balanced(shown[i] as Float32Array)),
    }));
    const weights = regression(examples);
    for (const i of own)
      odds[i] = spread(oddsOf(cells[i] as Float32Array, weights), (looks[i] as Look).side, photos[i] as Rgb);
  }
  return odds;
}

/** Cells with a class, 1 for the subject, and how much each counts. */
interface Examples {
  readonly channels: number;
  readonly data: Float32Array;
  readonly isSubject: Float32Array;
  readonly counts: Float32Array;
}

/** Subject and background count alike, whatever room they take. */
function balanced(share: Float32Array): Pick<Examples, 'isSubject' | 'counts'> {
  const isSubject = share.map((value) => (value > shares.subject ? 1 : 0));
  const isBackground = share.map((value) => (value < shares.background ? 1 : 0));
  const count = (marks: Float32Array): number =>
    Math.max(
      1,
      marks.reduce((sum, value) => sum + value, 0),
    );
  const [subject, background] = [count(isSubject), count(isBackground)];
  return {
    isSubject,
    counts: share.map(
      (_, i) => (isSubject[i] as number) / subject + (isBackground[i] as number) / background,
    ),
  };
}

function rimOf(side: number): Pick<Examples, 'isSubject' | 'counts'> {
  const rim = Float32Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    return Math.min(x, y, side - 1 - x, side - 1 - y) === 0 ? rimWeight / (4 * side - 4) : 0;
  });
  return { isSubject: new Float32Array(side * side), counts: rim };
}

/** All photos' cells with mean 0 and variance 1 in each channel. */
function standardized(looks: readonly Look[]): Float32Array[] {
  const { channels } = looks[0] as Look;
  const [sum, squares] = [new Float64Array(channels), new Float64Array(channels)];
  let count = 0;
  for (const { data } of looks) {
    data.forEach((value, at) => {
      (sum[at % channels] as number) += value;
      (squares[at % channels] as number) += value * value;
    });
    count += data.length / channels;
  }
  const mean = sum.map((value) => value / count);
  const scale = squares.map((value, k) => 1 / Math.sqrt(value / count - (mean[k] as number) ** 2 + 1e-6));
  return looks.map(({ data }) =>
    data.map((value, at) => (value - (mean[at % channels] as number)) * (scale[at % channels] as number)),
  );
}

/** Weights of the channels, and the bias last. */
function regression(photos: readonly Examples[]): Float64Array {
  const { channels } = photos[0] as Examples;
  const { data, isSubject, counts } = whatCounts(photos);
  const weights = new Float64Array(channels + 1);
  const speed = new Float64Array(channels + 1);
  const gradient = new Float64Array(channels + 1);
  for (let step = 0; step < descent.steps; step++) {
    gradient.fill(0);
    for (let cell = 0; cell < counts.length; cell++) {
      const from = cell * channels;
      let odds = weights[channels] as number;
      for (let k = 0; k < channels; k++) odds += (weights[k] as number) * (data[from + k] as number);
      const error = (counts[cell] as number) * (1 / (1 + Math.exp(-odds)) - (isSubject[cell] as number));
      for (let k = 0; k < channels; k++)
        gradient[k] = (gradient[k] as number) + error * (data[from + k] as number);
      gradient[channels] = (gradient[channels] as number) + error;
    }
    for (let k = 0; k <= channels; k++) {
      const decay = k < channels ? descent.decay * (weights[k] as number) : 0;
      speed[k] = descent.momentum * (speed[k] as number) - descent.rate * ((gradient[k] as number) + decay);
      weights[k] = (weights[k] as number) + (speed[k] as number);
    }
  }
  return weights;
}

/** The cells of all photos that are learnt from, one after the other; they count 1 together. Most cells of a rim count nothing. */
function whatCounts(photos: readonly Examples[]): Omit<Examples, 'channels'> {
  const { channels } = photos[0] as Examples;
  const cells = photos.reduce((sum, { counts }) => sum + counts.length, 0);
  const every = Math.ceil(cells / mostCells);
  const total = photos.reduce((sum, { counts }) => sum + counts.reduce((all, one) => all + one, 0), 0);
  const chosen = photos.flatMap(({ counts }, photo) =>
    [...counts.keys()]
      .filter((cell) => cell % every === photo % every && counts[cell] !== 0)
      .map((cell) => ({ photo, cell })),
  );
  const data = new Float32Array(chosen.length * channels);
  const [isSubject, counts] = [new Float32Array(chosen.length), new Float32Array(chosen.length)];
  for (const [i, { photo, cell }] of chosen.entries()) {
    const own = photos[photo] as Examples;
    data.set(own.data.subarray(cell * channels, (cell + 1) * channels), i * channels);
    isSubject[i] = own.isSubject[cell] as number;
    counts[i] = (every * (own.counts[cell] as number)) / total;
  }
  return { data, isSubject, counts };
}

function oddsOf(data: Float32Array, weights: Float64Array): Float32Array {
  const channels = weights.length - 1;
  return Float32Array.from({ length: data.length / channels }, (_, cell) => {
    let odds = weights[channels] as number;
    for (let k = 0; k < channels; k++) odds += (weights[k] as number) * (data[cell * channels + k] as number);
    return odds;
  });
}

/** Which share of each cell's pixels is the subject's. */
function sharesOf(found: Uint8Array, { width, height }: Rgb, side: number): Float32Array {
  const [subject, all] = [new Float32Array(side * side), new Float32Array(side * side)];
  found.forEach((value, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    const cell = Math.floor((y * side) / height) * side + Math.floor((x * side) / width);
    subject[cell] = (subject[cell] as number) + value;
    all[cell] = (all[cell] as number) + 1;
  });
  return subject.map((value, cell) => value / Math.max(1, all[cell] as number));
}

/** Cells' values at each pixel, linear between the cells' middles. */
function spread(cells: Float32Array, side: number, { width, height }: Rgb): Float32Array {
  const place = (at: number, length: number): { from: number; to: number; share: number } => {
    const middle = Math.min(side - 1, Math.max(0, ((at + 0.5) * side) / length - 0.5));
    const from = Math.floor(middle);
    return { from, to: Math.min(side - 1, from + 1), share: middle - from };
  };
  const columns = Array.from({ length: width }, (_, x) => place(x, width));
  const values = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = place(y, height);
    for (const [x, column] of columns.entries()) {
      const of = (r: number): number =>
        (1 - column.share) * (cells[r * side + column.from] as number) +
        column.share * (cells[r * side + column.to] as number);
      values[y * width + x] = (1 - row.share) * of(row.from) + row.share * of(row.to);
    }
  }
  return values;
}
