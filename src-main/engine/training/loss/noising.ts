import { add, input, mul } from '../../graph/build.ts';
import type { Value } from '../../graph/ops.ts';
import type { NoiseSchedule } from '../../schedulers/noiseSchedule.ts';
import { predictionTarget } from '../../schedulers/prediction.ts';
import type { HostTensor } from '../../tensor/tensor.ts';
import type { NoiseBatch } from '../data/batch.ts';

/** Forward diffusion as a graph: the noised latents, their timesteps, and what the model is to predict. Fed with `noiseFeeds`. */
export function noised(
  batch: number,
  size: readonly [number, number, number],
): { sample: Value; timesteps: Value; target: Value } {
  const latents = input('latents', [batch, ...size]);
  const noise = input('noise', [batch, ...size]);
  const mix = (name: string): Value => {
    const share = (of: string): Value => input(`${name}_${of}`, [batch, 1, 1, 1]);
    return add(mul(latents, share('latents')), mul(noise, share('noise')));
  };
  return { sample: mix('sample'), timesteps: input('timesteps', [batch], 'i64'), target: mix('target') };
}

/** The inputs of `noised` for a batch: the schedule says how much noise a timestep has, and what is predicted. */
export function noiseFeeds(
  { latents, noise, timesteps }: NoiseBatch,
  { alphaBars, prediction }: NoiseSchedule,
): Record<string, HostTensor> {
  const rows = Array.from(timesteps.data, (t) => {
    const alphaBar = alphaBars[Number(t)] as number;
    const [alpha, sigma] = [Math.sqrt(alphaBar), Math.sqrt(Math.fround(1 - alphaBar))];
    return { sample: [alpha, sigma] as const, target: predictionTarget(prediction, alpha, sigma) };
  });
  const column = (of: 'sample' | 'target', part: 0 | 1): HostTensor => ({
    dtype: 'f32',
    shape: [rows.length, 1, 1, 1],
    data: Float32Array.from(rows, (row) => row[of][part]),
  });
  return {
    ...{ latents, noise, timesteps },
    ...{ sample_latents: column('sample', 0), sample_noise: column('sample', 1) },
    ...{ target_latents: column('target', 0), target_noise: column('target', 1) },
  };
}
