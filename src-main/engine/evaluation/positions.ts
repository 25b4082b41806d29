import { readF32 } from '../checkpoints/weights.ts';
import type { HostTensor, FileTensor } from '../tensor/tensor.ts';

/** Rows and columns of patches. */
type Grid = readonly [rows: number, columns: number];

/** Keys' cubic with a = −0.75, as torch has it: the weights of the four neighbours of a point `t` past the second. */
function cubic(t: number): readonly number[] {
  const a = -0.75;
  const near = (x: number): number => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number): number => ((x - 5) * x + 8) * x * a - 4 * a;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
}

/** For each output along one axis: the inputs it comes from, the edge repeated, and their weights. */
function taps(from: number, to: number): { at: number; weight: number }[][] {
  return Array.from({ length: to }, (_, i) => {
    const place = ((i + 0.5) * from) / to - 0.5;
    const base = Math.floor(place);
    return cubic(place - base).map((weight, k) => ({
      at: Math.min(from - 1, Math.max(0, base - 1 + k)),
      weight,
    }));
  });
}

/**
 * Position embeddings [1,1+patches,d] for pictures of another size than the network was trained on, as DINOv2 makes them: the first
 * token's as it is, the others' grid resized by `interpolate(mode='bicubic', align_corners=False)`.
 */
export function interpolatedPositions(entry: FileTensor, from: Grid, to: Grid): HostTensor<'f32'> {
  const { data, shape } = readF32(entry);
  const width = shape[2] as number;
  const [rows, columns] = [taps(from[0], to[0]), taps(from[1], to[1])];
  const result = new Float32Array((1 + to[0] * to[1]) * width);
  result.set(data.subarray(0, width));
  for (const [y, row] of rows.entries()) {
    for (const [x, column] of columns.entries()) {
      const out = (1 + y * to[1] + x) * width;
      for (const vertical of row) {
        for (const horizontal of column) {
          const weight = vertical.weight * horizontal.weight;
          const source = (1 + vertical.at * from[1] + horizontal.at) * width;
          for (let i = 0; i < width; i++)
            result[out + i] = (result[out + i] as number) + weight * (data[source + i] as number);
        }
      }
    }
  }
  return { dtype: 'f32', shape: [1, 1 + to[0] * to[1], width], data: result };
}
