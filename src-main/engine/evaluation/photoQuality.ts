import type { Picture } from '../pictures/pixels.ts';

/** What the pixels of one photo tell. */
export interface PhotoQuality {
  /** 0 sharp to 1 blurred: of the sharpest parts, as backgrounds may be out of focus. */
  readonly blur: number;
  /** Mean luminance, 0 black to 1 white. */
  readonly brightness: number;
  /** Shares of the pixels without any detail left at the dark and the bright end. */
  readonly tooDark: number;
  readonly tooBright: number;
  /** Standard deviation of luminance. */
  readonly contrast: number;
}

/** Tiles a side that sharpness is judged in. */
const tiles = 4;
/** Half the length of the moving average that blurs. */
const reach = 4;

/** Judges a photo at its training size: what shrinking loses does not matter. */
export function photoQuality(picture: Picture): PhotoQuality {
  const luma = luminance(picture);
  const mean = average(luma);
  return {
    blur: sharpestBlur(luma, picture.width, picture.height),
    brightness: mean,
    tooDark: share(luma, (value) => value <= 3 / 255),
    tooBright: share(luma, (value) => value >= 252 / 255),
    contrast: Math.sqrt(average(luma.map((value) => (value - mean) ** 2))),
  };
}

/** Rec. 709 on the bytes as they are, 0…1. */
function luminance({ data, width, height }: Picture): Float32Array {
  const at = (i: number): number => data[i] as number;
  return Float32Array.from(
    { length: width * height },
    (_, i) => (0.2126 * at(3 * i) + 0.7152 * at(3 * i + 1) + 0.0722 * at(3 * i + 2)) / 255,
  );
}

/** The second smallest blur among the tiles with any detail. */
function sharpestBlur(luma: Float32Array, width: number, height: number): number {
  const found: number[] = [];
  const edge = (tile: number, length: number): number => Math.floor((tile * length) / tiles);
  for (let row = 0; row < tiles; row++)
    for (let column = 0; column < tiles; column++) {
      const [top, bottom] = [edge(row, height), edge(row + 1, height)];
      const [left, right] = [edge(column, width), edge(column + 1, width)];
      const tile = new Float32Array((bottom - top) * (right - left));
      for (let y = top; y < bottom; y++)
        tile.set(luma.subarray(y * width + left, y * width + right), (y - top) * (right - left));
      const mean = average(tile);
      if (average(tile.map((value) => (value - mean) ** 2)) > 1e-3)
        found.push(blurOf(tile, right - left, bottom - top));
    }
  found.sort((a, b) => a - b);
  return found[1] ?? found[0] ?? 1;
}

/**
 * Crété-Roffet et al. 2007, "The blur effect": how little neighbours' differences shrink when the picture is blurred again. The larger of
 * both directions.
 */
function blurOf(luma: Float32Array, width: number, height: number): number {
  const along = (step: number, lines: number, length: number, stride: number): number => {
    let [differences, lost] = [0, 0];
    for (let line = 0; line < lines; line++) {
      const value = (i: number): number =>
        luma[line * stride + Math.min(length - 1, Math.max(0, i)) * step] as number;
      let sum = 0;
      for (let i = -reach; i <= reach; i++) sum += value(i);
      let blurred = sum / (2 * reach + 1);
      for (let i = 1; i < length; i++) {
        sum += value(i + reach) - value(i - 1 - reach);
        const next = sum / (2 * reach + 1);
        const difference = Math.abs(value(i) - value(i - 1));
        differences += difference;
        lost += Math.max(0, difference - Math.abs(next - blurred));
        blurred = next;
      }
    }
    return differences > 0 ? 1 - lost / differences : 1;
  };
  return Math.max(along(1, height, width, width), along(width, width, height, 1));
}

/** The share of a photo's edges that its middle square leaves out: how much the crop takes away. */
export function detailOutsideSquare(picture: Picture): number {
  const { width, height } = picture;
  const luma = luminance(picture);
  const short = Math.min(width, height);
  const [left, top] = [(width - short) / 2, (height - short) / 2];
  let [all, inside] = [0, 0];
  for (let y = 1; y < height; y++)
    for (let x = 1; x < width; x++) {
      const here = luma[y * width + x] as number;
      const edge =
        Math.abs(here - (luma[y * width + x - 1] as number)) +
        Math.abs(here - (luma[(y - 1) * width + x] as number));
      all += edge;
      if (x >= left && x < left + short && y >= top && y < top + short) inside += edge;
    }
  return all > 0 ? 1 - inside / all : 0;
}

function average(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function share(values: Float32Array, counts: (value: number) => boolean): number {
  let count = 0;
  for (const value of values) if (counts(value)) count++;
  return count / values.length;
}
