import { add, input, mul, sub } from '../../graph/build.ts';
import type { Value } from '../../graph/ops.ts';
import type { HostTensor } from '../../tensor/tensor.ts';
import type { NoiseBatch } from '../data/batch.ts';

export type PredictionType = 'epsilon' | 'v_prediction';

/**
 * Forward diffusion as a graph: the noised latents, their timesteps, and the target: the noise, or the velocity (Salimans & Ho
 * 2022). Fed with `noiseFeeds`.
 */
export function noised(
  batch: number,
  size: readonly [number, number, number],
  prediction: PredictionType,
): { sample: Value; timesteps: Value; target: Value } {
  const latents = input('latents', [batch, ...size]);
  const noise = input('noise', [batch, ...size]);
  const signal = input('signal', [batch, 1, 1, 1]);
  const deviation = input('deviation', [batch, 1, 1, 1]);
  return {
    sample: add(mul(latents, signal), mul(noise, deviation)),
    timesteps: input('timesteps', [batch], 'i64'),
    target: prediction === 'epsilon' ? noise : sub(mul(noise, signal), mul(latents, deviation)),
  };
}

/** The inputs of `noised` for a batch; `alphaBars` is the noise schedule's ᾱ by timestep. */
export function noiseFeeds(
  { latents, noise, timesteps }: NoiseBatch,
  alphaBars: Float32Array,
): Record<string, HostTensor> {
  const bars = Array.from(timesteps.data, (t) => alphaBars[Number(t)] as number);
  const column = (values: number[]): HostTensor => ({
    dtype: 'f32',
    shape: [values.length, 1, 1, 1],
    data: Float32Array.from(values),
  });
  return {
    ...{ latents, noise, timesteps },
    signal: column(bars.map(Math.sqrt)),
    deviation: column(bars.map((bar) => Math.sqrt(Math.fround(1 - bar)))),
  };
}
