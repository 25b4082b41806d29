import { noiseLevelAt, noiseSchedule } from '../../../engine/schedulers/noiseSchedule.ts';
import type { Model } from '../../../engine/checkpoints/model.ts';

/**
 * How Apple's samplers (apple/ml-stable-diffusion, Scheduler.swift, DPMSolverMultistepScheduler.swift) see a U-Net: always with Stable
 * Diffusion's own noise schedule, and as if it predicted noise. For a model that was trained otherwise the package itself makes up for it.
 */
const appleConfig = {
  ...{ _class_name: 'PNDMScheduler', num_train_timesteps: 1000 },
  ...{ beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear' },
};

/** What the package does at each of Apple's timesteps; nothing where there is nothing to make up for. */
export interface NoiseTables {
  /** The model's own timestep, or a point between two, at which latents are as noisy. */
  readonly timesteps?: Float32Array;
  /** The noise is the first times the model's output, and the second times its input. */
  readonly asNoise?: { readonly ofOutput: Float32Array; readonly ofSample: Float32Array };
}

export function noiseTables({ scheduler, path }: Pick<Model, 'scheduler' | 'path'>): NoiseTables {
  const apples = noiseSchedule(appleConfig, '').alphaBars;
  const { alphaBars: own, prediction } = noiseSchedule(scheduler, path);
  const isSame =
    own.length === apples.length && own.every((bar, t) => Math.abs(bar - (apples[t] as number)) < 1e-6);
  const levels = Array.from(apples, (_, t) => noiseLevelAt(apples, t));
  const table = (entry: (picture: number, noise: number) => number): Float32Array =>
    Float32Array.from(levels, ([picture, noise]) => entry(picture, noise));
  const asNoise = {
    epsilon: undefined,
    // v = √ᾱ·ε − √(1−ᾱ)·x₀ (Salimans & Ho 2022), and x = √ᾱ·x₀ + √(1−ᾱ)·ε.
    v_prediction: { ofOutput: table((picture) => picture), ofSample: table((_, noise) => noise) },
    sample: {
      ofOutput: table((picture, noise) => -picture / noise),
      ofSample: table((_, noise) => 1 / noise),
    },
  }[prediction];
  return {
    ...(!isSame && { timesteps: apples.map((bar) => timestepOf(bar, own)) }),
    ...(asNoise && { asNoise }),
  };
}

/** Where `bars`, which fall, come to `bar`: linear in the logarithm of the ratio of signal to noise. */
function timestepOf(bar: number, bars: Float32Array): number {
  const ratio = (one: number): number => Math.log(one / (1 - one));
  const next = bars.findIndex((one) => one <= bar);
  if (next === 0) return 0;
  if (next < 0) return bars.length - 1;
  const [above, below] = [ratio(bars[next - 1] as number), ratio(bars[next] as number)];
  // If a schedule ends in pure noise, the last step is infinitely far away.
  if (below === -Infinity) return next - 1;
  return next - 1 + (above - ratio(bar)) / (above - below);
}
