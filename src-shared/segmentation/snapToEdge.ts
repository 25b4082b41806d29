import { scaledSize } from '../scaledSize.ts';
import { cutByColours, grabCut, known, type Colours, type Rgb } from './grabCut.ts';

/** Longest side of what is cut first, in pixels; the edge is then found again at the picture's own size. */
export const coarseSide = 256;
/** A rough mask is thin, a stroke, where its inscribed circle is so small a share of its box. */
const thin = 0.13;

/**
 * What a rough mask means: an ellipse drawn around the subject, or strokes drawn over it, snapped to the subject's edge. `rough` holds
 * 0…255 for each pixel of `picture`; so does the result. An empty mask stays empty.
 */
export function snapToEdge(picture: Rgb, rough: Uint8Array): Uint8Array {
  if (!rough.some(isMarked)) return rough;
  const small = shrunk(picture, coarseSide);
  const marked = Uint8Array.from({ length: small.width * small.height }, (_, at) => {
    const [x, y] = [at % small.width, Math.floor(at / small.width)];
    return isMarked(rough[sourceOf(x, y, small, picture)] as number) ? 1 : 0;
  });
  const { subject: cut, colours } = grabCut(small, trimapOf(marked, small));
  const subject = largeParts(cut, marked, small);
  if (small === picture || !colours) return subject.map((value) => 255 * value);
  return refined(picture, subject, small, colours);
}

const isMarked = (value: number): boolean => value >= 128;

/** Outside of what was drawn is background; its middle, or a stroke itself, is the subject; the rest is found out. */
function trimapOf(marked: Uint8Array, { width, height }: Rgb): Uint8Array {
  const inside = distances(marked, width, height, 1);
  const box = boxOf(marked, width);
  const radius = inside.reduce((most, value) => Math.max(most, value), 0);
  const isStroke = radius < thin * Math.max(box.right - box.left, box.bottom - box.top, 1);
  const room = Math.round(0.35 * Math.max(box.right - box.left, box.bottom - box.top)) + 4;
  return marked.map((value, at) => {
    if (isStroke) {
      if (value === 1) return known.subject;
      const [x, y] = [at % width, Math.floor(at / width)];
      const isNear =
        x >= box.left - room && x <= box.right + room && y >= box.top - room && y <= box.bottom + room;
      return isNear && x > 0 && y > 0 && x < width - 1 && y < height - 1
        ? known.unknownBackground
        : known.background;
    }
    if (value === 0) return known.background;
    return (inside[at] as number) > 0.88 * radius ? known.subject : known.unknownSubject;
  });
}

/** Parts of the subject that touch what was drawn; specks elsewhere are none of it, and small holes are filled. */
function largeParts(subject: Uint8Array, marked: Uint8Array, { width, height }: Rgb): Uint8Array {
  const kept = new Uint8Array(subject.length);
  const least = 0.002 * subject.length;
  for (const part of partsOf(subject, 1, width, height))
    if (part.length >= least && part.some((at) => marked[at] === 1)) for (const at of part) kept[at] = 1;
  for (const hole of partsOf(kept, 0, width, height))
    if (hole.length < least) for (const at of hole) kept[at] = 1;
  return kept;
}

/** Connected pixels of one value. */
export function partsOf(values: Uint8Array, wanted: number, width: number, height: number): number[][] {
  const seen = new Uint8Array(values.length);
  const parts: number[][] = [];
  for (let start = 0; start < values.length; start++) {
    if (seen[start] || values[start] !== wanted) continue;
    const part = [start];
    seen[start] = 1;
    for (let i = 0; i < part.length; i++) {
      const at = part[i] as number;
      const [x, y] = [at % width, Math.floor(at / width)];
      for (const next of [
        ...(x > 0 ? [at - 1] : []),
        ...(x < width - 1 ? [at + 1] : []),
        ...(y > 0 ? [at - width] : []),
        ...(y < height - 1 ? [at + width] : []),
      ])
        if (!seen[next] && values[next] === wanted) {
          seen[next] = 1;
          part.push(next);
        }
    }
    parts.push(part);
  }
  return parts;
}

/** The coarse subject at the picture's size, with its edge cut once more among the pixels near it. */
export function refined(picture: Rgb, subject: Uint8Array, small: Rgb, colours: Colours): Uint8Array {
  const { width, height } = picture;
  const near = 2;
  const [inside, outside] = [
    distances(subject, small.width, small.height, 1),
    distances(subject, small.width, small.height, 0),
  ];
  const trimap = Uint8Array.from({ length: width * height }, (_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    const from = sourceOf(x, y, picture, small);
    if (subject[from] === 1) return (inside[from] as number) > near ? known.subject : known.unknownSubject;
    return (outside[from] as number) > near ? known.background : known.unknownBackground;
  });
  return cutByColours(picture, trimap, colours).map((value) => 255 * value);
}

/** The pixel of `to` that lies where (x, y) of `from` does. */
function sourceOf(
  x: number,
  y: number,
  from: Pick<Rgb, 'width' | 'height'>,
  to: Pick<Rgb, 'width' | 'height'>,
): number {
  const column = Math.min(to.width - 1, Math.floor(((x + 0.5) * to.width) / from.width));
  const row = Math.min(to.height - 1, Math.floor(((y + 0.5) * to.height) / from.height));
  return row * to.width + column;
}

/** The picture with its longer side of `longest` pixels at most: mean colours of the pixels that a smaller one stands for. */
export function shrunk(picture: Rgb, longest: number): Rgb {
  const scale = Math.min(1, longest / Math.max(picture.width, picture.height));
  if (scale === 1) return picture;
  const { width, height } = scaledSize(picture, scale);
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [left, right] = [
        Math.floor((x * picture.width) / width),
        Math.floor(((x + 1) * picture.width) / width),
      ];
      const [top, bottom] = [
        Math.floor((y * picture.height) / height),
        Math.floor(((y + 1) * picture.height) / height),
      ];
      for (let channel = 0; channel < 3; channel++) {
        let [sum, count] = [0, 0];
        for (let row = top; row < bottom; row++)
          for (let column = left; column < right; column++) {
            sum += picture.data[3 * (row * picture.width + column) + channel] as number;
            count++;
          }
        data[3 * (y * width + x) + channel] = Math.round(sum / Math.max(1, count));
      }
    }
  return { width, height, data };
}

function boxOf(
  marked: Uint8Array,
  width: number,
): { left: number; top: number; right: number; bottom: number } {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  for (let at = 0; at < marked.length; at++) {
    if (marked[at] === 0) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  return { left, top, right, bottom };
}

/** How far each pixel of a value is from the nearest of the other, about (Borgefors' 3-4 chamfer); the picture's end is no other. */
function distances(values: Uint8Array, width: number, height: number, of: number): Float32Array {
  const far = 3 * (width + height);
  const found = Float32Array.from(values, (value) => (value === of ? far : 0));
  const look = (
    at: number,
    x: number,
    y: number,
    steps: readonly (readonly [number, number, number])[],
  ): void => {
    for (const [dx, dy, cost] of steps) {
      if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue;
      found[at] = Math.min(found[at] as number, (found[at + dy * width + dx] as number) + cost);
    }
  };
  const before = [
    [-1, 0, 3],
    [0, -1, 3],
    [-1, -1, 4],
    [1, -1, 4],
  ] as const;
  const after = before.map(([dx, dy, cost]) => [-dx, -dy, cost] as const);
  for (let at = 0; at < values.length; at++) look(at, at % width, Math.floor(at / width), before);
  for (let at = values.length - 1; at >= 0; at--) look(at, at % width, Math.floor(at / width), after);
  return found.map((value) => value / 3);
}
