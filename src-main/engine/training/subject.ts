import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { Model } from '../checkpoints/model.ts';
import { openTokenizer } from '../pipelines/openTokenizer.ts';
import { pixelsPerLatent } from '../pipelines/textToImage.ts';
import { classPictures } from './classPictures.ts';
import type { DatasetOptions, Posterior } from './dataset.ts';
import { encodePictures } from './encodePictures.ts';
import { listPhotos, loadPhoto } from './photos.ts';
import { generatorFor } from './randomness.ts';
import { classPrompt, subjectPrompt, type FinetuneSettings } from './settings.ts';

/** Random crops drawn of each photo, where they are asked for. */
const cropsPerPhoto = 8;

/**
 * Everything DreamBooth's batches are drawn from: the photos' posteriors under the VAE, those of class pictures (made by the
 * base model where they are not in the cache yet), and both prompts.
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
  const pictures = await loadSubject(photos, settings);
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
  return {
    subject: await posteriors(pictures, 'reading photos'),
    subjectIds: encode(subjectPrompt(settings)),
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

/** The photos as [3,size,size] in −1…1; with flips, each also mirrored; with random crops, several of each. */
async function loadSubject(
  photos: readonly string[],
  { size, crop, flip, seed }: FinetuneSettings,
): Promise<Float32Array[]> {
  const pictures: Float32Array[] = [];
  for (const [index, file] of photos.entries()) {
    const generator = generatorFor(seed, 'crop', index);
    const crops = crop === 'random' ? cropsPerPhoto : 1;
    for (let i = 0; i < crops; i++) {
      const options = crop === 'random' ? { size, generator } : { size };
      pictures.push(await loadPhoto(file, options));
    }
  }
  return flip ? pictures.flatMap((picture) => [picture, mirrored(picture, size)]) : pictures;
}

/** A picture [3,size,size] with left and right changed. */
export function mirrored(picture: Float32Array, size: number): Float32Array {
  return picture.map((_, i) => picture[i - (i % size) + (size - 1 - (i % size))] as number);
}
