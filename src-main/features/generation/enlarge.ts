import { firstStep } from '../../engine/schedulers/index.ts';
import type {
  GeneratedPicture,
  PictureRequest,
  SamplingOptions,
  TextToImage,
} from '../../engine/pipelines/textToImage.ts';
import { checkEnlargedSize, Upscaler } from '../../engine/pipelines/upscaler.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';
import type { Upscale } from '../../../src-shared/domain/upscale.ts';

/** Throws `strength.tooLow` and `upscale.tooLarge` where pictures can't be enlarged, or drawn over, so. */
export function checkEnlarging(
  textToImage: TextToImage,
  sampling: Pick<SamplingOptions, 'scheduler' | 'steps' | 'width' | 'height'>,
  { factor, strength }: Upscale,
): void {
  checkEnlargedSize(sampling, factor);
  if (strength !== undefined) firstStep(textToImage.samplerOf(sampling), sampling.steps, strength);
}

/**
 * Draws batches of pictures and enlarges them, once `finish` has put each together. With a strength, each is then drawn over at its new
 * size, as AUTOMATIC1111's "Hires. fix" does, by the rules of image to image: all are enlarged first, since the networks of one size are
 * open at a time. Errors: `upscale.tooLarge`, `strength.tooLow`, those of `Upscaler` and `TextToImage.generate`.
 */
export async function* drawEnlarged(
  textToImage: TextToImage,
  batches: readonly (readonly PictureRequest[])[],
  sampling: SamplingOptions,
  { factor, strength }: Upscale,
  { provider, finish }: { readonly provider: ProviderChoice; readonly finish: (drawn: Picture) => Picture },
): AsyncGenerator<GeneratedPicture> {
  checkEnlarging(textToImage, sampling, { factor, ...(strength !== undefined && { strength }) });
  const { steps, signal, onStep, onPreview, ...common } = sampling;
  const size = { width: factor * sampling.width, height: factor * sampling.height };
  const first = strength === undefined ? steps : firstStep(textToImage.samplerOf(sampling), steps, strength);
  const upscaler = Upscaler.open(factor, provider);
  const waiting: GeneratedPicture[] = [];
  // A step of the second drawing takes as much longer as its picture is larger.
  const again = ((steps - first) / steps) * factor ** 2;
  const tell = (before: number, share: number, latents: Float32Array): void =>
    onStep?.(before + share, 1 + again, latents);
  try {
    const drawn = textToImage.generateBatches(batches, {
      ...sampling,
      onStep: (done, total, latents) => tell(0, done / total, latents),
    });
    for await (const one of drawn) {
      const picture = await upscaler.enlarge(finish(one.picture), signal ? { signal } : {});
      if (strength === undefined) yield { ...one, picture };
      else waiting.push({ ...one, picture });
    }
  } finally {
    await upscaler.dispose();
  }
  if (strength === undefined) return;
  for (const [place, { request, picture }] of waiting.entries()) {
    const { latents: _, ...fromSeed } = request;
    const over = textToImage.generate([fromSeed], {
      ...{ ...common, ...size, steps, batch: 1, original: { picture, strength } },
      ...(signal && { signal }),
      onStep: (done, total, latents) => tell(1, (again * (place + done / total)) / waiting.length, latents),
      ...(onPreview && {
        onPreview: (clean, _first, step, of) => onPreview(clean, place, step, of),
      }),
    });
    for await (const one of over) yield { ...one, request };
  }
}
