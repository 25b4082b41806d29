import type { Model } from '../checkpoints/model.ts';
import { exp, input, mul } from '../graph/build.ts';
import { vaeEncode } from '../models/vae.ts';
import { Scope } from '../nn/scope.ts';
import { storedWeights } from '../pipelines/weights.ts';
import type { ProviderChoice } from '../runtime/providers.ts';
import { Session } from '../runtime/session.ts';
import type { Posterior } from './dataset.ts';

/** The VAE's posterior of each picture, [3,size,size] in −1…1. */
export async function encodePictures(
  model: Model,
  pictures: readonly Float32Array[],
  size: number,
  provider: ProviderChoice,
  onPicture: (done: number) => void,
): Promise<Posterior[]> {
  const { mean, logvar } = vaeEncode(Scope.root('vae'), input('image', [1, 3, size, size]), model.vae.config);
  const graph = { outputs: { mean, deviation: exp(mul(logvar, 0.5)) } };
  const session = await Session.compile(graph, { provider, weights: storedWeights(graph, model) });
  const posteriors: Posterior[] = [];
  for (const data of pictures) {
    const result = await session.runHost({ image: { dtype: 'f32', shape: [1, 3, size, size], data } });
    posteriors.push({
      mean: result['mean']?.data as Float32Array,
      deviation: result['deviation']?.data as Float32Array,
    });
    onPicture(posteriors.length);
  }
  await session.dispose();
  return posteriors;
}
