import { classPrompt, photoPrompt } from './prompts.ts';
import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { openTokenizer } from '../../pipelines/openTokenizer.ts';
import { pixelsPerLatent } from '../../pipelines/textToImage.ts';
import { classPictures } from './classPictures.ts';
import type { DatasetOptions, Posterior, SubjectPicture } from './dataset.ts';
import { encodePictures } from './posteriors.ts';
import { latentWeights, masksOf } from './masks.ts';
import { listPhotos, loadMaskedPhoto, loadPhoto } from './photos.ts';
import { generatorFor } from '../../tensor/seeded.ts';

/** Random crops drawn of each photo, where they are asked for. */
const cropsPerPhoto = 8;

/**
 * Everything DreamBooth's batches are drawn from: the photos' posteriors under the VAE, those of class pictures (made by the
 * base model where they are not in the cache yet), and the prompts.
 */
export async function subjectDataset(
  model: Model,
  settings: FinetuneSettings,
  timesteps: number,
  cache: string,
  context: JobContext,
): Promise<DatasetOptions & { readonly latents: readonly [number, number, number] }> {
  if (settings.photos === undefined) throw problem('training.noPhotos', { option: '--photos' });
  const { size } = settings;
  const factor = pixelsPerLatent(model.vae.config);
  if (size % factor !== 0) throw problem('size.unusable', { width: size, height: size, factor });
  const photos = await listPhotos(settings.photos);
  const masks = await masksFor(settings, photos, context);
  const pictures = await loadSubject(photos, masks, factor, settings);
  const prior = settings.prior && (await classPictures(model, settings, cache, context));
  const tokenizer = await openTokenizer(model);
  const { max_position_embeddings: length, vocab_size: words } = model.textEncoder.config;
  const encode = (prompt: string): number[] => {
    const { ids, truncated } = tokenizer.encode(prompt);
    if (truncated !== undefined)
      context.report({ type: 'warning', message: `The prompt is too long; "${truncated}" was cut.` });
    if (ids.length !== length || ids.some((id) => id >= words))
      throw problem('tokenizer.invalid', {
        file: model.path,
        why: `the text encoder takes ${length} tokens out of ${words}`,
      });
    return ids;
  };
  const posteriors = (from: readonly Float32Array[], label: string): Promise<Posterior[]> =>
    encodePictures(model, from, size, settings.provider, (done) =>
      context.report({ type: 'progress', done, total: from.length, label }),
    );
  const read = await posteriors(
    pictures.map(({ photo }) => photo),
    'reading photos',
  );
  return {
    subject: read.map((posterior, i): SubjectPicture => ({
      ...posterior,
      ids: encode(photoPrompt(settings, pictures[i]?.file ?? '')),
      lossWeights: pictures[i]?.lossWeights,
    })),
    ...(prior && {
      prior: {
        pictures: await posteriors(prior, 'reading class pictures'),
        ids: encode(classPrompt(settings)),
      },
    }),
    latents: [model.vae.config.latent_channels, size / factor, size / factor],
    scalingFactor: model.vae.config.scaling_factor,
    batch: settings.batch,
    timesteps,
    seed: settings.seed,
  };
}

/** The masks that a run takes notice of, by photo, and a word about them. */
async function masksFor(
  { photos: folder = '', backgroundWeight }: FinetuneSettings,
  photos: readonly string[],
  { report }: JobContext,
): Promise<ReadonlyMap<string, string>> {
  if (backgroundWeight === 1) return new Map();
  const { masks, strays } = await masksOf(folder, photos);
  for (const file of strays)
    report({
      type: 'warning',
      message: `${file} is passed over: a mask is a PNG named as its photo, or belongs to none here.`,
    });
  const transparent = [...masks].filter(([photo, mask]) => photo === mask).length;
  if (transparent > 0)
    report({
      type: 'note',
      message: `${transparent} of ${photos.length} photos are transparent in part; what is opaque in them is taken for the subject, as by a mask.`,
    });
  if (masks.size > 0)
    report({
      type: 'note',
      message: `${masks.size} of ${photos.length} photos have a mask; what is around the subject there weighs ${backgroundWeight}.`,
    });
  return masks;
}

interface LoadedPhoto {
  readonly file: string;
  /** [3,size,size] in −1…1. */
  readonly photo: Float32Array;
  readonly lossWeights?: Float32Array;
}

/**
 * The photos of a run; with flips, each also mirrored; with random crops, several of each, but none that shows nothing of a masked
 * subject. Errors: `masks.outside`, those of `loadMaskedPhoto`.
 */
async function loadSubject(
  photos: readonly string[],
  masks: ReadonlyMap<string, string>,
  factor: number,
  { size, crop, flip, seed, backgroundWeight }: FinetuneSettings,
): Promise<LoadedPhoto[]> {
  const pictures: LoadedPhoto[] = [];
  for (const [index, file] of photos.entries()) {
    const generator = generatorFor(seed, 'crop', index);
    const crops = crop === 'random' ? cropsPerPhoto : 1;
    const maskFile = masks.get(file);
    const before = pictures.length;
    for (let i = 0; i < crops; i++) {
      const options = crop === 'random' ? { size, generator } : { size };
      if (maskFile === undefined) {
        pictures.push({ file, photo: await loadPhoto(file, options) });
        continue;
      }
      const { photo, mask } = await loadMaskedPhoto(file, maskFile, options);
      const lossWeights = latentWeights(mask, size, factor, backgroundWeight);
      if (lossWeights) pictures.push({ file, photo, lossWeights });
    }
    if (pictures.length === before) throw problem('masks.outside', { mask: maskFile ?? '', file });
  }
  if (!flip) return pictures;
  return pictures.flatMap((picture) => {
    const { file, photo, lossWeights } = picture;
    return [
      picture,
      {
        file,
        photo: mirrored(photo, size),
        ...(lossWeights && { lossWeights: mirrored(lossWeights, size / factor) }),
      },
    ];
  });
}

/** A picture [channels,size,size] with left and right changed. */
export function mirrored(picture: Float32Array, size: number): Float32Array {
  return picture.map((_, i) => picture[i - (i % size) + (size - 1 - (i % size))] as number);
}
