import type { HostTensor } from '../../tensor/tensor.ts';
import type { Feeds } from './gradients.ts';

/** The rows of a batch as batches of one. What has no row for each is every row's: scalars, and what all rows share. */
export function rowsOf(feeds: Feeds, batch: number): Feeds[] {
  return Array.from({ length: batch }, (_, row) =>
    Object.fromEntries(
      Object.entries(feeds).map(([name, tensor]) => [
        name,
        tensor.shape[0] === batch ? rowOf(tensor, row) : tensor,
      ]),
    ),
  );
}

/** One row of a tensor of a batch. */
export function rowOf({ dtype, shape, data }: HostTensor, row: number): HostTensor {
  const [rows = 1, ...size] = shape;
  const length = data.length / rows;
  return { dtype, shape: [1, ...size], data: data.slice(row * length, (row + 1) * length) };
}
