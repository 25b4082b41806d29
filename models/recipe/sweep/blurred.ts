import sharp from 'sharp';
import type { Picture } from '../../../src-main/engine/pictures/pixels.ts';

/** A picture blurred by a Gaussian of `sigma` pixels. */
export async function blurred({ data, width, height }: Picture, sigma: number): Promise<Picture> {
  const soft = await sharp(data, { raw: { width, height, channels: 3 } })
    .blur(sigma)
    .raw()
    .toBuffer();
  return { data: soft, width, height };
}
