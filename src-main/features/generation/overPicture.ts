import { readFileSync } from 'node:fs';
import { sha256 } from '../../engine/checkpoints/contentHash.ts';
import { nameOfPlace } from '../../engine/checkpoints/nameOfPlace.ts';
import type { Original } from '../../engine/pipelines/original.ts';
import { loadPicture, loadPictureOn } from '../../engine/pictures/pictures.ts';
import { covering, fitted } from '../../engine/pictures/fitted.ts';
import { greyAt, type Picture } from '../../engine/pictures/pixels.ts';
import { resize } from '../../engine/pictures/resample.ts';
import { pixelsPerLatent, TextToImage } from '../../engine/pipelines/textToImage.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { crop, cropRegion } from './cropRegion.ts';
import { rememberPlace } from './knownPlaces.ts';
import type { GenerateRequest, OverRequest } from './request.ts';

type Size = NonNullable<GenerateRequest['size']>;

/** A picture to draw over, ready for the pipeline, and how the result is put together. */
export interface OverPicture {
  readonly original: Original;
  readonly size: Size;
  /** Its part of the recipe. */
  readonly recipe: Pick<Recipe, 'image' | 'mask' | 'strength' | 'maskPadding'>;
  /** A sentence where the picture is not drawn at its own size. */
  readonly note?: string;
  /** With a mask, the original with what was drawn where the mask is white; else what was drawn. */
  readonly finish: (drawn: Picture) => Picture;
}

/** Without a size, a larger picture is drawn at about the model's. */
const mostAreas = 4;

/**
 * Reads the picture and the mask, cut and sized as diffusers' pipelines do it: `padding_mask_crop` with `maskPadding`, Lanczos.
 * Errors: those of `loadPicture`, `mask.otherShape`, `mask.blank`.
 */
export async function openOver(
  { image, strength, mask: maskFile, maskPadding }: OverRequest,
  asked: Size | undefined,
  { model }: TextToImage,
): Promise<OverPicture> {
  const whole = await loadPicture(image);
  const mask = maskFile === undefined ? undefined : await openMask(maskFile, image, whole);
  const factor = pixelsPerLatent(model.vae.config);
  const own = TextToImage.defaultSize(model);
  const region =
    mask && maskPadding !== undefined
      ? cropRegion(mask, asked ?? own, maskPadding)
      : { x: 0, y: 0, ...sizeOf(whole) };
  const size = asked ?? (mask && maskPadding !== undefined ? own : drawnSize(region, own, factor));
  // A part may have another shape than what is drawn, where the picture ends; it is not stretched.
  const isPart = mask !== undefined && maskPadding !== undefined;
  const scaled = (picture: Picture): Picture =>
    isPart ? fitted(crop(picture, region), size) : resize(picture, size.width, size.height, 'lanczos');
  const back = (drawn: Picture): Picture =>
    isPart ? covering(drawn, region) : resize(drawn, region.width, region.height, 'lanczos');
  const finish = (drawn: Picture): Picture => (mask ? laidOver(whole, mask, back(drawn), region) : drawn);
  const noted = (file: string): { name: string; hash: string } => {
    const hash = sha256(readFileSync(file), 16);
    rememberPlace(hash, file);
    return { name: nameOfPlace(file), hash };
  };
  const isShrunk = !mask && asked === undefined && size.width < whole.width - factor;
  return {
    original: { picture: scaled(whole), ...(mask && { mask: scaled(mask) }), strength },
    size,
    finish,
    recipe: {
      ...{ image: noted(image), strength },
      ...(maskFile !== undefined && { mask: noted(maskFile) }),
      ...(mask && maskPadding !== undefined && { maskPadding }),
    },
    ...(isShrunk && {
      note: `${image} has ${whole.width}×${whole.height} pixels and is drawn at ${size.width}×${size.height}; another size can be chosen.`,
    }),
  };
}

async function openMask(file: string, image: string, picture: Picture): Promise<Picture> {
  const mask = await loadPictureOn('black', file);
  const stretch = (mask.width * picture.height) / (mask.height * picture.width);
  if (Math.abs(stretch - 1) > 0.02)
    throw problem('mask.otherShape', {
      ...{ mask: file, image, width: picture.width, height: picture.height },
    });
  if (!mask.data.some((value) => value >= 128)) throw problem('mask.blank', { mask: file });
  const isSame = mask.width === picture.width && mask.height === picture.height;
  return isSame ? mask : resize(mask, picture.width, picture.height, 'bilinear');
}

/** The picture's own size in whole latents, or, where it is far larger than the model's, its shape at the model's area. */
function drawnSize({ width, height }: Size, own: Size, factor: number): Size {
  const area = own.width * own.height;
  const scale = width * height > mostAreas * area ? Math.sqrt(area / (width * height)) : 1;
  const whole = (side: number): number => Math.max(factor, Math.floor((side * scale) / factor) * factor);
  return { width: whole(width), height: whole(height) };
}

const sizeOf = ({ width, height }: Picture): Size => ({ width, height });

/** The original, and `drawn` in the region as far as the mask is white. */
function laidOver(
  whole: Picture,
  mask: Picture,
  drawn: Picture,
  { x, y }: { readonly x: number; readonly y: number },
): Picture {
  const data = Uint8Array.from(whole.data);
  for (let row = 0; row < drawn.height; row++)
    for (let column = 0; column < drawn.width; column++) {
      const pixel = (y + row) * whole.width + x + column;
      const share = greyAt(mask, pixel) / 255;
      for (let channel = 0; channel < 3; channel++) {
        const at = 3 * pixel + channel;
        const fresh = drawn.data[3 * (row * drawn.width + column) + channel] as number;
        data[at] = Math.round((whole.data[at] as number) * (1 - share) + fresh * share);
      }
    }
  return { width: whole.width, height: whole.height, data };
}
