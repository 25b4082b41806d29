import { generatorFor } from '../../tensor/seeded.ts';
import type { TorchGenerator } from '../../tensor/random.ts';
import type { Frame } from './aspectBuckets.ts';
import type { MaskedPicture } from './dataset.ts';
import type { Posterior } from './posteriors.ts';

/** Masked pictures that are encoded before a run, of the photos and of the class pictures: few pictures have more masks each. */
const maskedInAll = 64;

export interface MaskOptions {
  /** Of the pictures, in pixels. */
  readonly frame: Frame;
  /** [c,h,w] of a picture's latents. */
  readonly latents: readonly [number, number, number];
  readonly seed: number;
}

/**
 * Every picture, [3,height,width] in −1…1, with several masks, as a model for inpainting learns it: what is masked is grey (0), the rest is
 * encoded, and the mask is shrunk to the latents' size (nearest). diffusers' train_dreambooth_inpaint.py draws a mask at every step; here
 * they are drawn once, so that the VAE works only before the run.
 */
export async function maskedPictures(
  pictures: readonly Float32Array[],
  { frame, latents, seed }: MaskOptions,
  encode: (pictures: readonly Float32Array[]) => Promise<Posterior[]>,
): Promise<MaskedPicture[][]> {
  const each = Math.max(1, Math.ceil(maskedInAll / pictures.length));
  const masks = pictures.map((_, i) => {
    const generator = generatorFor(seed, 'inpainting masks', i);
    return Array.from({ length: each }, () => randomMask(frame, generator));
  });
  const covered = pictures.flatMap((picture, i) =>
    (masks[i] ?? []).map((mask) => picture.map((value, at) => (mask[at % mask.length] ? 0 : value))),
  );
  const posteriors = await encode(covered);
  return masks.map((own, i) =>
    own.map((mask, k) => ({
      ...(posteriors[i * each + k] as Posterior),
      mask: shrunk(mask, frame, latents),
    })),
  );
}

/** A rectangle or an ellipse of any size anywhere in the picture, 1 inside: `random_mask` of diffusers' script. */
function randomMask(frame: Frame, generator: TorchGenerator): Uint8Array {
  const upTo = (least: number, most: number): number => generator.randint(least, most + 1, [1])[0] as number;
  const [width, height] = [upTo(0, frame.width), upTo(0, frame.height)];
  const [halfWidth, halfHeight] = [Math.floor(width / 2), Math.floor(height / 2)];
  const [x, y] = [upTo(halfWidth, frame.width - halfWidth), upTo(halfHeight, frame.height - halfHeight)];
  const isRectangle = upTo(0, 1) === 0;
  return Uint8Array.from({ length: frame.width * frame.height }, (_, at) => {
    const [across, down] = [(at % frame.width) - x, Math.floor(at / frame.width) - y];
    if (isRectangle) return Math.abs(across) <= halfWidth && Math.abs(down) <= halfHeight ? 1 : 0;
    return (across / (halfWidth + 0.5)) ** 2 + (down / (halfHeight + 0.5)) ** 2 <= 1 ? 1 : 0;
  });
}

function shrunk(mask: Uint8Array, frame: Frame, [, height, width]: MaskOptions['latents']): Float32Array {
  return Float32Array.from({ length: height * width }, (_, at) => {
    const [y, x] = [Math.floor(at / width), at % width];
    return mask[
      Math.floor((y * frame.height) / height) * frame.width + Math.floor((x * frame.width) / width)
    ] as number;
  });
}
