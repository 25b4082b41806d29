import { dims4, type HostTensor } from '../tensor/tensor.ts';

type Floats = HostTensor<'f32'>;

/** Side of a tile, and its overlap with neighbours, in latents: diffusers' `tile_latent_min_size`, and its quarter. */
const [side, overlap] = [64, 16];

/** Where tiles begin along an axis: evenly spread, and all of one size, so that one session decodes them. */
export function tileStarts(length: number): number[] {
  if (length <= side) return [0];
  const count = Math.ceil((length - overlap) / (side - overlap));
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - side)) / (count - 1)));
}

/**
 * Latents [1,c,h,w] → image [1,3,f·h,f·w], decoded tile by tile; where tiles overlap, one fades into the next. Group norms see a
 * tile instead of the whole, which changes the picture less than one can see (diffusers' `enable_vae_tiling`).
 */
export async function decodeTiled(
  latents: Floats,
  decode: (tile: Floats) => Promise<Floats>,
): Promise<Floats> {
  const [, , height, width] = dims4(latents.shape);
  const [down, across] = [tileStarts(height), tileStarts(width)];
  const tile = { height: Math.min(side, height), width: Math.min(side, width) };
  let sum: Sum | undefined;
  let shares: { rows: Float32Array[]; columns: Float32Array[] } | undefined;
  for (const [i, top] of down.entries())
    for (const [j, left] of across.entries()) {
      const decoded = await decode(cut(latents, { top, left, ...tile }));
      const [, channels, tall, wide] = dims4(decoded.shape);
      const factor = tall / tile.height;
      sum ??= new Sum(channels, factor * height, factor * width);
      shares ??= { rows: fades(down, tall, factor), columns: fades(across, wide, factor) };
      const [rows, columns] = [shares.rows[i] as Float32Array, shares.columns[j] as Float32Array];
      sum.add(decoded, { top: factor * top, left: factor * left, rows, columns });
    }
  return (sum as Sum).image;
}

function cut(
  { data, shape }: Floats,
  { top, left, height, width }: { top: number; left: number; height: number; width: number },
): Floats {
  const [, channels, whole, wide] = dims4(shape);
  const part = new Float32Array(channels * height * width);
  for (let row = 0; row < channels * height; row++) {
    const from = (Math.floor(row / height) * whole + top + (row % height)) * wide + left;
    part.set(data.subarray(from, from + width), row * width);
  }
  return { dtype: 'f32', shape: [1, channels, height, width], data: part };
}

/** Weight of each pixel of each tile along one axis: it falls off where a neighbour overlaps, and the sum is one. */
function fades(starts: readonly number[], length: number, factor: number): Float32Array[] {
  const begins = starts.map((start) => factor * start);
  const totals = new Float32Array((begins.at(-1) as number) + length);
  const shares = begins.map((begin, i) => {
    const before = i > 0 ? (begins[i - 1] as number) + length - begin : 0;
    const next = begins[i + 1];
    const after = next === undefined ? 0 : begin + length - next;
    return Float32Array.from({ length }, (_, at) => {
      const rising = at < before ? (at + 0.5) / before : 1;
      const falling = length - at <= after ? (length - at - 0.5) / after : 1;
      const share = Math.min(rising, falling);
      (totals[begin + at] as number) += share;
      return share;
    });
  });
  return shares.map((share, i) =>
    share.map((value, at) => value / (totals[(begins[i] as number) + at] as number)),
  );
}

/** An image that tiles are added to. */
class Sum {
  readonly image: Floats;

  constructor(
    private readonly channels: number,
    private readonly height: number,
    private readonly width: number,
  ) {
    const data = new Float32Array(channels * height * width);
    this.image = { dtype: 'f32', shape: [1, channels, height, width], data };
  }

  add(
    { data }: Floats,
    { top, left, rows, columns }: { top: number; left: number; rows: Float32Array; columns: Float32Array },
  ): void {
    for (let channel = 0; channel < this.channels; channel++)
      for (const [row, down] of rows.entries()) {
        const from = (channel * rows.length + row) * columns.length;
        const to = (channel * this.height + top + row) * this.width + left;
        for (const [column, across] of columns.entries())
          (this.image.data[to + column] as number) += down * across * (data[from + column] as number);
      }
  }
}
