import { sharpOf } from './pictures.ts';
import type { Picture } from './pixels.ts';

/** A picture squeezed to a square, whatever its proportions: [3,size,size], each byte as `value` makes it. */
export async function squeezed(
  picture: Picture,
  size: number,
  value: (byte: number) => number,
): Promise<Float32Array> {
  const bytes = await sharpOf(picture).resize(size, size, { fit: 'fill', kernel: 'linear' }).raw().toBuffer();
  const plane = size * size;
  return Float32Array.from({ length: 3 * plane }, (_, i) =>
    value(bytes[(i % plane) * 3 + Math.floor(i / plane)] as number),
  );
}
