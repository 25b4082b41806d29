import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { findBadValues } from '../../checkpoints/weights.ts';
import { exp, input, mul } from '../../graph/build.ts';
import { vaeEncode } from '../../models/vae.ts';
import { Scope } from '../../nn/scope.ts';
import { storedWeights } from '../../pipelines/weights.ts';
import type { ProviderChoice } from '../../../../src-shared/domain/providers.ts';
import { Session } from '../../runtime/session.ts';
import type { Posterior } from './dataset.ts';

/** The VAE's posterior of each picture, [3,size,size] in −1…1. Errors: `tensor.notNumbers`, `output.notFinite`. */
export async function encodePictures(
  model: Model,
  pictures: readonly Float32Array[],
  size: number,
  provider: ProviderChoice,
  onPicture: (done: number) => void,
): Promise<Posterior[]> {
  const latents = vaeEncode(Scope.root('vae'), input('image', [1, 3, size, size]), model.vae.config);
  const graph = { outputs: { mean: latents.mean, deviation: exp(mul(latents.logvar, 0.5)) } };
  const session = await Session.compile(graph, { provider, weights: storedWeights(graph, model) });
  const posteriors: Posterior[] = [];
  for (const data of pictures) {
    const result = await session.runHost({ image: { dtype: 'f32', shape: [1, 3, size, size], data } });
    const [mean, deviation] = [result['mean']?.data, result['deviation']?.data] as [
      Float32Array,
      Float32Array,
    ];
    if (!mean.every(Number.isFinite) || !deviation.every(Number.isFinite)) {
      findBadValues(model.vae.weights);
      throw problem('output.notFinite', { model: model.path, part: 'vae' });
    }
    posteriors.push({ mean, deviation });
    onPicture(posteriors.length);
  }
  await session.dispose();
  return posteriors;
}
