import { problem } from '../../../src-shared/messages/index.ts';
import { asF32, dims2, f32, type HostTensor } from '../tensor/tensor.ts';

/** Pictures or prompts a call: more only cost memory. */
export const batch = 4;

/** A row [d] for each item; `run` takes up to `batch` of them and gives [batch,d]. */
export async function inBatches<T>(
  items: readonly T[],
  run: (some: readonly T[]) => Promise<HostTensor | undefined>,
): Promise<Float32Array[]> {
  const found: Float32Array[] = [];
  for (let from = 0; from < items.length; from += batch) {
    const some = items.slice(from, from + batch);
    found.push(...rows(await run(some), some.length));
  }
  return found;
}

/** The first `count` rows of [batch,d], copied. */
export function rows(tensor: HostTensor | undefined, count: number): Float32Array[] {
  const { shape, data } = asF32(tensor);
  const [, width] = dims2(shape);
  return Array.from({ length: count }, (_, i) => data.slice(i * width, (i + 1) * width));
}

/** Pictures [3,height,width] as [batch,3,height,width]; zeros after the last one. */
export function batchOf(
  pictures: readonly Float32Array[],
  [height, width]: readonly [number, number],
): HostTensor<'f32'> {
  const tensor = f32([batch, 3, height, width]);
  for (const [i, picture] of pictures.entries()) tensor.data.set(picture, i * 3 * height * width);
  return tensor;
}

/** Errors: `output.notFinite`. */
export function checkFinite(vectors: readonly Float32Array[], model: string, part: string): void {
  if (!vectors.every((vector) => vector.every(Number.isFinite)))
    throw problem('output.notFinite', { model, part });
}
