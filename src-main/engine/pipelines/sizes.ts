import type { Model } from '../checkpoints/model.ts';
import { f32, type HostTensor } from '../tensor/tensor.ts';

/** Of a picture, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Width and height the model was trained at. */
export function defaultSize({ unet, vae }: Pick<Model, 'unet' | 'vae'>): Size {
  const [height, width] = unet.config.sample_size;
  const factor = pixelsPerLatent(vae.config);
  return { width: width * factor, height: height * factor };
}

/** How many pixels high and wide a latent is. */
export function pixelsPerLatent({ block_out_channels }: Model['vae']['config']): number {
  return 2 ** (block_out_channels.length - 1);
}

/** SDXL's size inputs for a picture that was neither resized nor cut, [1,6]: diffusers' `_get_add_time_ids` by default. */
export function sizesFor({ width, height }: Size): HostTensor<'f32'> {
  return f32([1, 6], [height, width, 0, 0, height, width]);
}
