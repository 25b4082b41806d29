import type { SchedulerConfig } from './config.ts';
import { linspace32 } from './noiseSchedule.ts';
import { predictedNoise } from './prediction.ts';
import type { Sampler } from './sampler.ts';
import {
  exponentialSigmas,
  finalSigma,
  interpolate,
  karrasSigmas,
  sigmaToTimestep,
  trainingSigmas,
} from './sigmas.ts';
import { spacedTimesteps } from './timesteps.ts';
import { combine } from './vector.ts';

/** Euler's method in σ: Karras et al. 2022, algorithm 2 without churn, as diffusers' EulerDiscreteScheduler runs it. */
export function euler(config: SchedulerConfig, steps: number): Sampler {
  const { timesteps, sigmas } = sigmaSchedule(config, steps);
  return {
    ...inSigma(config, timesteps, sigmas),
    step(output, i, x) {
      const [sigma, next] = [sigmas[i] as number, sigmas[i + 1] as number];
      return combine([1, x], [next - sigma, derivative(config, output, x, sigma)]);
    },
  };
}

/** dx/dσ for x = x0 + σ·noise: the noise, as the output for the scaled x implies it. */
export function derivative(
  config: SchedulerConfig,
  output: Float32Array,
  x: Float32Array,
  sigma: number,
): Float32Array {
  const alpha = 1 / Math.sqrt(sigma * sigma + 1);
  return predictedNoise(config.prediction_type, output, scaled(x, sigma), alpha, sigma * alpha);
}

/** x/√(σ²+1): unit variance for the U-Net. */
function scaled(x: Float32Array, sigma: number): Float32Array {
  return combine([1 / Math.sqrt(sigma * sigma + 1), x]);
}

/** A sampler in σ, but for its step: latents are x0 + σ·noise. */
export function inSigma(
  config: SchedulerConfig,
  timesteps: readonly number[],
  sigmas: readonly number[],
): Omit<Sampler, 'step'> {
  const max = Math.max(...sigmas);
  return {
    timesteps,
    initNoiseSigma: config.timestep_spacing === 'leading' ? Math.sqrt(max * max + 1) : max,
    noiseLevel: (i) => [1, sigmas[i] as number],
    scaleInput: (x, i) => scaled(x, sigmas[i] as number),
  };
}

/** Timesteps and their σ, with the final σ after them, for the samplers that work in σ. */
export function sigmaSchedule(
  config: SchedulerConfig,
  steps: number,
): { timesteps: number[]; sigmas: number[] } {
  const { sigmas: trained } = trainingSigmas(config);
  const logs = trained.map(Math.log);
  const spaced = spacedTimesteps(config, steps).map(Math.fround);
  const base =
    config.interpolation_type === 'linear'
      ? spaced.map((t) => interpolate(trained, t))
      : Array.from(linspace32(logs[logs.length - 1] as number, logs[0] as number, steps + 1), Math.exp);

  let timesteps = spaced;
  let sigmas = base;
  if (config.use_karras_sigmas || config.use_exponential_sigmas) {
    const min = config.sigma_min ?? (base[base.length - 1] as number);
    const max = config.sigma_max ?? (base[0] as number);
    sigmas = (config.use_karras_sigmas ? karrasSigmas : exponentialSigmas)(min, max, steps);
    timesteps = sigmas.map((sigma) => Math.fround(sigmaToTimestep(sigma, logs)));
  }
  if (config.timestep_type === 'continuous' && config.prediction_type === 'v_prediction') {
    timesteps = sigmas.map((sigma) => Math.fround(0.25 * Math.log(sigma)));
  }
  return { timesteps, sigmas: [...sigmas, finalSigma(config, trained)].map(Math.fround) };
}
