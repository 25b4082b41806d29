import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { findBadValues } from '../../checkpoints/weights.ts';
import { exp, input, mul } from '../../graph/build.ts';
import { vaeEncode } from '../../models/vae.ts';
import { Scope } from '../../nn/scope.ts';
import { asF32 } from '../../tensor/tensor.ts';
import { pixelsPerLatent } from '../../pipelines/textToImage.ts';
import type { Frame } from './aspectBuckets.ts';
import { storedWeights } from '../../pipelines/weights.ts';
import type { ProviderChoice } from '../../../../src-shared/domain/providers.ts';
import { Session } from '../../runtime/session.ts';

/** The VAE encoder's output for one picture: mean and standard deviation of its latents, each [c,h,w]. */
export interface Posterior {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
}

/** [c,h,w] of a picture's latents. Errors: `size.unusable`. */
export function latentShape({ vae: { config } }: Model, { width, height }: Frame): [number, number, number] {
  const factor = pixelsPerLatent(config);
  if (width % factor !== 0 || height % factor !== 0)
    throw problem('size.unusable', { width, height, factor });
  return [config.latent_channels, height / factor, width / factor];
}

/** The VAE's posterior of each picture, [3,height,width] in −1…1. Errors: `tensor.notNumbers`, `output.notFinite`. */
export async function* vaePosteriors(
  model: Model,
  pictures: readonly Float32Array[],
  { width, height }: Frame,
  provider: ProviderChoice,
): AsyncGenerator<Posterior> {
  const latents = vaeEncode(Scope.root('vae'), input('image', [1, 3, height, width]), model.vae.config);
  const graph = { outputs: { mean: latents.mean, deviation: exp(mul(latents.logvar, 0.5)) } };
  const session = await Session.compile(graph, { provider, weights: storedWeights(graph, model) });
  try {
    for (const data of pictures) {
      const result = await session.runHost({ image: { dtype: 'f32', shape: [1, 3, height, width], data } });
      const [mean, deviation] = [asF32(result['mean']).data, asF32(result['deviation']).data];
      if (!mean.every(Number.isFinite) || !deviation.every(Number.isFinite)) {
        findBadValues(model.vae.weights);
        throw problem('output.notFinite', { model: model.path, part: 'vae' });
      }
      yield { mean, deviation };
    }
  } finally {
    await session.dispose();
  }
}
