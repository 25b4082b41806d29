import { add, input, mul } from '../../graph/build.ts';
import type { Value } from '../../graph/ops.ts';
import type { NoiseSchedule } from '../../schedulers/noiseSchedule.ts';
import { minSnrWeight, predictionTarget } from '../../schedulers/prediction.ts';
import { f32, type HostTensor } from '../../tensor/tensor.ts';
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

/** The inputs of `noised` for a batch. */
export function noiseFeeds(batch: NoiseBatch, schedule: NoiseSchedule): Record<string, HostTensor> {
  const levels = noiseLevels(batch, schedule);
  const targets = levels.map((level) => predictionTarget(schedule.prediction, ...level));
  return {
    ...sampleFeeds(batch, schedule),
    target_latents: column(targets.map(([share]) => share)),
    target_noise: column(targets.map(([, share]) => share)),
  };
}

/** Only the inputs of the noised latents. */
export function sampleFeeds(batch: NoiseBatch, schedule: NoiseSchedule): Record<string, HostTensor> {
  const { latents, noise, timesteps } = batch;
  const levels = noiseLevels(batch, schedule);
  return {
    ...{ latents, noise, timesteps },
    sample_latents: column(levels.map(([alpha]) => alpha)),
    sample_noise: column(levels.map(([, sigma]) => sigma)),
  };
}

/** What each row's squared errors weigh by min-SNR-γ, [b,1,1,1]. */
export function minSnrWeights(batch: NoiseBatch, schedule: NoiseSchedule, gamma: number): HostTensor<'f32'> {
  return column(
    noiseLevels(batch, schedule).map((level) => minSnrWeight(schedule.prediction, ...level, gamma)),
  );
}

/** α and σ of each row: x = α·x0 + σ·noise. */
function noiseLevels(
  { timesteps }: NoiseBatch,
  { alphaBars }: NoiseSchedule,
): (readonly [alpha: number, sigma: number])[] {
  return Array.from(timesteps.data, (t) => {
    const alphaBar = alphaBars[Number(t)] as number;
    return [Math.sqrt(alphaBar), Math.sqrt(Math.fround(1 - alphaBar))] as const;
  });
}

/** One number for each row, [b,1,1,1]. */
export function column(values: readonly number[]): HostTensor<'f32'> {
  return f32([values.length, 1, 1, 1], values);
}
