import { basename } from 'node:path';
import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { Picture } from '../../pictures/pixels.ts';
import { generatorFor } from '../../tensor/seeded.ts';
import { bucketLimits, makeBuckets, square, type Frame } from './aspectBuckets.ts';
import { automaticMasks } from './automaticMasks.ts';
import { latentWeights, masksOf } from './masks.ts';
import { listPhotos } from './photoFolder.ts';
import { inPlace, placesOf, type Place } from './places.ts';
import { cutMaskedPhoto, cutPhoto, mirrored, readMaskedPhoto, type PhotoSizes } from './photoPixels.ts';
import { plural } from '../../../../src-shared/plural.ts';

/** Random crops drawn of each photo, where they are asked for. */
export const cropsPerPhoto = 8;

/**
 * How many times the photo itself is shown among its new places. It teaches what prompts without a place draw; shown less often, they
 * draw a mixture of all places.
 */
const asItIs = 2;

/** How many pictures a finetune makes of so many photos, which share so many places among them. */
export function picturesOf(
  photos: number,
  { crop, flip }: Pick<FinetuneSettings, 'crop' | 'flip'>,
  places = 0,
): number {
  const each = (crop === 'random' ? cropsPerPhoto : 1) * (flip ? 2 : 1);
  return each * (places > 0 ? asItIs * photos + places : photos);
}

export interface SubjectPhoto {
  readonly file: string;
  /** [3,height,width] in −1…1. */
  readonly photo: Float32Array;
  readonly frame: Frame;
  readonly sizes: PhotoSizes;
  /** [h,w], one for each latent; none for a photo without a mask. */
  readonly lossWeights?: Float32Array;
  /** The new place, as prompts say it; '' for the photo itself where it has new places too; undefined where there are none. */
  readonly place?: string;
}

/**
 * The photos of a run, cut to squares or to the buckets they fit; with flips, each also mirrored. A latent is `factor` pixels wide. Errors: those of
 * `listPhotos`, `readMaskedPhoto` and `cutMaskedPhoto`, `training.noPhotos`, `masks.outside`.
 */
export async function subjectPhotos(
  settings: FinetuneSettings,
  factor: number,
  context: JobContext,
): Promise<SubjectPhoto[]> {
  const { photos: folder, flip } = settings;
  if (folder === undefined) throw problem('training.noPhotos', { option: '--photos' });
  const photos = await listPhotos(folder);
  const masks = new Map<string, string | Picture>(await masksFor(folder, photos, settings, context));
  for (const [file, mask] of await foundMasks(photos, masks, settings, context)) masks.set(file, mask);
  const pictures = await croppedPhotos(photos, masks, factor, settings);
  if (!flip) return pictures;
  return pictures.flatMap((picture) => {
    const { photo, frame, lossWeights } = picture;
    const turned = {
      ...picture,
      photo: mirrored(photo, frame.width),
      ...(lossWeights && { lossWeights: mirrored(lossWeights, frame.width / factor) }),
    };
    return [picture, turned];
  });
}

/** The masks that this run uses, by photo; reports how many there are. */
async function masksFor(
  folder: string,
  photos: readonly string[],
  { backgroundWeight }: FinetuneSettings,
  { report }: JobContext,
): Promise<ReadonlyMap<string, string>> {
  if (backgroundWeight === 1) return new Map();
  const { masks, strays } = await masksOf(folder, photos);
  for (const file of strays)
    report({
      type: 'warning',
      message: `${file} is ignored: a mask is a PNG with its photo's name, and no photo here has this one.`,
    });
  for (const [mask, sharing] of sharedMasks(masks))
    report({
      type: 'warning',
      message: `${mask} is the mask of ${sharing.join(' and ')}. Where each needs its own, name them ${sharing.map((photo) => `${photo}.png`).join(' and ')}.`,
    });
  const transparent = [...masks].filter(([photo, mask]) => photo === mask).length;
  if (transparent > 0)
    report({
      type: 'note',
      message: `${transparent} of ${plural(photos.length, 'photo', 'photos')} ${transparent === 1 ? 'is' : 'are'} partly transparent; their opaque parts count as the subject, as with a mask.`,
    });
  if (masks.size > 0)
    report({
      type: 'note',
      message: `${masks.size} of ${plural(photos.length, 'photo', 'photos')} ${masks.size === 1 ? 'has' : 'have'} a mask; their background counts ${backgroundWeight}.`,
    });
  return masks;
}

/** Masks that belong to several photos, such as a.png to a.jpg and a.webp, and the names of these. */
function sharedMasks(masks: ReadonlyMap<string, string>): [mask: string, photos: string[]][] {
  const photosOf = new Map<string, string[]>();
  for (const [photo, mask] of masks) photosOf.set(mask, [...(photosOf.get(mask) ?? []), basename(photo)]);
  return [...photosOf].filter(([, photos]) => photos.length > 1);
}

/** With automatic masks, those that are found for photos without one; reports how many. */
async function foundMasks(
  photos: readonly string[],
  masks: ReadonlyMap<string, string | Picture>,
  { autoMask, backgroundWeight }: FinetuneSettings,
  { report }: JobContext,
): Promise<ReadonlyMap<string, Picture>> {
  const bare = photos.filter((file) => !masks.has(file));
  if (!autoMask || backgroundWeight === 1 || bare.length === 0) return new Map();
  const found = await automaticMasks(bare);
  report({
    type: 'note',
    message: `The subject was found automatically in ${found.size} of ${plural(bare.length, 'photo', 'photos')}; their background counts ${backgroundWeight}. A mask of your own takes the place of what was found.`,
  });
  return found;
}

/**
 * A masked photo, and its subject as it was cut out in each of these places. Nothing else shows the model what is behind the subject where a
 * prompt names no place, so the photo's background counts in full.
 */
function eachPlace(
  photo: SubjectPhoto,
  cutOut: SubjectPhoto,
  mask: Float32Array,
  places: readonly Place[],
): SubjectPhoto[] {
  const whole = {
    ...photo,
    place: '',
    ...(photo.lossWeights && { lossWeights: photo.lossWeights.map((weight) => Math.max(1, weight)) }),
  };
  const moved = places.map((place) => ({
    ...cutOut,
    photo: inPlace(cutOut.photo, mask, place),
    place: place.words,
  }));
  return [...Array<SubjectPhoto>(asItIs).fill(whole), ...moved];
}

/**
 * Photo `index`'s places of `count` photos. Photos share places out: a place that always comes with one side of the subject is drawn with
 * that side, and sharply; with all of them, a small model draws the mean of all sides.
 */
function sharedOut(places: readonly Place[], index: number, count: number): Place[] {
  const names = [...new Set(places.map(({ words }) => words))];
  return places.filter(({ words }) => names.indexOf(words) % count === index);
}

/** With random crops, several of each photo, but none that shows nothing of a masked subject. */
async function croppedPhotos(
  photos: readonly string[],
  masks: ReadonlyMap<string, string | Picture>,
  factor: number,
  settings: FinetuneSettings,
): Promise<SubjectPhoto[]> {
  const { size, crop, seed, backgroundWeight, buckets, newPlaces, model } = settings;
  const pictures: SubjectPhoto[] = [];
  const places = new Map<string, Place[]>();
  const shape = {
    frame: square(size),
    ...(buckets && { buckets: makeBuckets(bucketLimits(size, factor)) }),
  };
  for (const [index, file] of photos.entries()) {
    const generator = generatorFor(seed, 'crop', index);
    const crops = crop === 'random' ? cropsPerPhoto : 1;
    const mask = masks.get(file);
    const read = mask === undefined ? undefined : await readMaskedPhoto(file, mask);
    const before = pictures.length;
    for (let i = 0; i < crops; i++) {
      const options = crop === 'random' ? { ...shape, generator } : shape;
      if (!read) {
        pictures.push({ file, ...(await cutPhoto(file, options)) });
        continue;
      }
      const around = { ...options, aroundSubject: crop === 'subject' };
      const { mask: shown, ...cut } = cutMaskedPhoto(read, around);
      const lossWeights = latentWeights(shown, cut.frame.width, factor, backgroundWeight);
      if (lossWeights && newPlaces) {
        const shape = `${cut.frame.width}x${cut.frame.height}`;
        const here = places.get(shape) ?? (await placesOf(model, cut.frame));
        places.set(shape, here);
        const own = sharedOut(here, [...masks.keys()].indexOf(file), masks.size);
        // The photo ends where it ends, but a place does not.
        const { mask: inside, ...cutOut } =
          crop === 'subject' ? cutMaskedPhoto(read, { ...around, overRim: true }) : { mask: shown, ...cut };
        const ofCutOut = latentWeights(inside, cutOut.frame.width, factor, backgroundWeight) ?? lossWeights;
        const subject = { file, ...cutOut, lossWeights: ofCutOut };
        pictures.push(...eachPlace({ file, ...cut, lossWeights }, subject, inside, own));
      } else if (lossWeights) pictures.push({ file, ...cut, lossWeights });
      else if (typeof mask !== 'string') pictures.push({ file, ...cut });
    }
    if (pictures.length === before)
      throw problem('masks.outside', { mask: typeof mask === 'string' ? mask : '', file });
  }
  return pictures;
}
