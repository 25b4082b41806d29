import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { Picture } from '../../pictures/pixels.ts';
import { generatorFor } from '../../tensor/seeded.ts';
import { bucketLimits, makeBuckets, square } from './aspectBuckets.ts';
import { automaticMasks } from './automaticMasks.ts';
import { latentWeights, masksOf, subjectShares } from './masks.ts';
import { listPhotos } from './photoFolder.ts';
import { cutMaskedPhoto, readMaskedPhoto } from './photoPixels.ts';
import { cropsPerPhoto } from './subjectPhotos.ts';

/** A photo of a run, and where in it the subject is. */
export interface PhotoRegion {
  readonly file: string;
  /**
   * Which share of each latent's pixels shows the subject, [h,w], by its mask or by what is found automatically; undefined where nothing
   * stands out. It refers to the first picture that the run makes of the photo.
   */
  readonly subject: Float32Array | undefined;
  /** The run itself learns from it with a mask. */
  readonly masked: boolean;
}

/** The photos of one subject, cut as its run cuts them; a latent is `factor` pixels wide. Errors: those of `subjectPhotos`. */
export async function photoRegions(settings: FinetuneSettings, factor: number): Promise<PhotoRegion[]> {
  const { photos: folder, autoMask, backgroundWeight } = settings;
  if (folder === undefined) throw problem('training.noPhotos', { option: '--photos' });
  const files = await listPhotos(folder);
  const { masks } = await masksOf(folder, files);
  const found = await automaticMasks(files.filter((file) => !masks.has(file)));
  const regions: PhotoRegion[] = [];
  for (const [index, file] of files.entries()) {
    const own = masks.get(file);
    const mask = own ?? found.get(file);
    const masked = backgroundWeight !== 1 && mask !== undefined && (own !== undefined || autoMask);
    const subject =
      mask === undefined ? undefined : await sharesOf({ file, mask, masked, index }, factor, settings);
    regions.push({ file, subject, masked });
  }
  return regions;
}

async function sharesOf(
  { file, mask, masked, index }: { file: string; mask: string | Picture; masked: boolean; index: number },
  factor: number,
  { size, buckets, crop, seed, backgroundWeight }: FinetuneSettings,
): Promise<Float32Array | undefined> {
  const options = {
    frame: square(size),
    ...(buckets && { buckets: makeBuckets(bucketLimits(size, factor)) }),
    ...(crop === 'random' && { generator: generatorFor(seed, 'crop', index) }),
    aroundSubject: masked && crop === 'subject',
  };
  const read = await readMaskedPhoto(file, mask);
  for (let drawn = 0; drawn < cropsPerPhoto; drawn++) {
    const { mask: shown, frame } = cutMaskedPhoto(read, options);
    // The run passes over crops that show nothing of a subject with a mask of one's own.
    const passedOver = masked && typeof mask === 'string' && crop === 'random';
    if (passedOver && !latentWeights(shown, frame.width, factor, backgroundWeight)) continue;
    const shares = subjectShares(shown, frame.width, factor);
    return shares.some((share) => share > 0) ? shares : undefined;
  }
  return undefined;
}
