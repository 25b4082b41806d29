import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { problem } from '../../../../src-shared/messages/index.ts';
import { loadOpacity, loadPictureOn, naturalOrder } from '../../pictures/pictures.ts';
import type { Picture } from '../../pictures/pixels.ts';
import { folded } from './sameName.ts';

/** The folder of masks inside a folder of photos. */
export const masksFolder = 'masks';

/**
 * The masks of photos: `masks/NAME.png` belongs to the photo NAME in any format, in any case and Unicode form (macOS splits
 * letters from their accents); `masks/NAME.jpg.png` is that of NAME.jpg alone. White is the subject, black what is around it, grey counts in part. A partly transparent photo
 * without one is its own mask. `strays` are files in the folder that belong to no photo.
 */
export async function masksOf(
  folder: string,
  photos: readonly string[],
): Promise<{ readonly masks: ReadonlyMap<string, string>; readonly strays: readonly string[] }> {
  const place = join(folder, masksFolder);
  const names = (await readdir(place).catch(() => [])).filter((name) => !name.startsWith('.'));
  const exact = new Set(names);
  const similar = new Map(names.filter((name) => /\.png$/i.test(name)).map((name) => [folded(name), name]));
  const masks = new Map<string, string>();
  const used = new Set<string>();
  for (const photo of photos) {
    const own = [`${basename(photo)}.png`, `${basename(photo, extname(photo))}.png`];
    const [name] = own.flatMap((one) => (exact.has(one) ? one : (similar.get(folded(one)) ?? [])));
    if (name !== undefined) {
      masks.set(photo, join(place, name));
      used.add(name);
    } else if (await isTransparentInPart(photo)) masks.set(photo, photo);
  }
  return {
    masks,
    strays: names
      .filter((name) => !used.has(name))
      .sort(naturalOrder)
      .map((name) => join(place, name)),
  };
}

/** An unreadable file is reported where it is read as a photo. */
async function isTransparentInPart(photo: string): Promise<boolean> {
  return loadOpacity(photo).then(
    (opacity) => opacity !== undefined,
    () => false,
  );
}

/**
 * A photo's mask as a picture of the photo's size, upright like the photo (EXIF turns a mask too); transparency is black. A photo
 * that is its own mask: how opaque it is. Errors: `masks.otherSize`, `masks.empty`, `masks.transparent`, those of
 * `loadPicture`.
 */
export async function loadMask(
  mask: string,
  photo: string,
  size: Pick<Picture, 'width' | 'height'>,
): Promise<Picture> {
  const opacity = mask === photo ? await loadOpacity(photo) : undefined;
  const picture = opacity ?? (await loadPictureOn('black', mask));
  const { width, height } = picture;
  if (width !== size.width || height !== size.height)
    throw problem('masks.otherSize', {
      ...{ mask, width, height, photo },
      ...{ photoWidth: size.width, photoHeight: size.height },
    });
  if (picture.data.every((byte) => byte === 0))
    throw opacity ? problem('masks.transparent', { photo }) : problem('masks.empty', { mask });
  return picture;
}

/**
 * What each latent of a photo `width` pixels wide weighs in the loss, [h,w] of the latents: the share of its pixels that are the subject's, at least
 * `backgroundWeight`; divided by their mean, so that a small subject is learnt as fast as one that fills the photo. As OneTrainer
 * does it with "normalize masked area loss" (its weight of the background is 0.1; on the shipped model 0.3 kept more of the
 * places). Undefined where no latent shows more of the subject than `backgroundWeight`: all would weigh the same, and the run
 * would learn the background.
 */
export function latentWeights(
  mask: Float32Array,
  width: number,
  factor: number,
  backgroundWeight: number,
): Float32Array | undefined {
  const shares = subjectShares(mask, width, factor);
  if (shares.every((share) => share <= backgroundWeight)) return undefined;
  const weights = shares.map((share) => Math.max(share, backgroundWeight));
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  return weights.map((weight) => weight / mean);
}

/** Which share of each latent's pixels a mask says is the subject's, [h,w] of the latents of a photo `width` pixels wide. */
export function subjectShares(mask: Float32Array, width: number, factor: number): Float32Array {
  const columns = width / factor;
  const shares = new Float32Array(mask.length / factor ** 2);
  mask.forEach((value, i) => {
    const [y, x] = [Math.floor(i / width / factor), Math.floor((i % width) / factor)];
    (shares[y * columns + x] as number) += value / factor ** 2;
  });
  return shares;
}
