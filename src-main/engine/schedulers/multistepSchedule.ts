import type { SchedulerConfig } from './config.ts';
import {
  exponentialSigmas,
  finalSigma,
  interpolate,
  karrasSigmas,
  sigmaToTimestep,
  trainingSigmas,
} from './sigmas.ts';
import { dpmTimesteps, roundEven } from './timesteps.ts';

/** σ/α of x = α·x0 + σ·noise taken apart, with λ = log(α/σ). */
export function halfLogSnr(ratio: number): { alpha: number; sigma: number; lambda: number } {
  const alpha = 1 / Math.sqrt(ratio * ratio + 1);
  return { alpha, sigma: ratio * alpha, lambda: -Math.log(ratio) };
}

/** What latents at σ/α are made of, as shares of the picture's and of the noise: α and σ. */
export function noiseLevelOf(ratio: number): readonly [ofPicture: number, ofNoise: number] {
  const { alpha, sigma } = halfLogSnr(ratio);
  return [alpha, sigma];
}

/**
 * Timesteps and their σ/α, with the final one after them, for the multistep solvers in λ: DPM-Solver++, DEIS and UniPC.
 * `dpm`: as diffusers' DPMSolverMultistepScheduler does where the other two differ.
 */
export function multistepSchedule(
  config: SchedulerConfig,
  steps: number,
  dpm: boolean,
): { timesteps: number[]; sigmas: number[] } {
  const { sigmas: trained } = trainingSigmas(config);
  const end = Math.fround(finalSigma(config, trained));
  // λ = −log σ below the limit is cut off at the noisy end (squaredcos_cap_v2 needs it).
  const clipped = trained.filter((sigma) => -Math.log(sigma) < config.lambda_min_clipped).length;
  const timesteps = dpmTimesteps(config, steps, config.num_train_timesteps - clipped);
  if (!config.use_karras_sigmas && !config.use_exponential_sigmas) {
    return { timesteps, sigmas: [...timesteps.map((t) => Math.fround(interpolate(trained, t))), end] };
  }
  const min = config.sigma_min ?? (trained[0] as number);
  const max = config.sigma_max ?? (trained[trained.length - 1] as number);
  const sigmas = (config.use_karras_sigmas ? karrasSigmas : exponentialSigmas)(min, max, steps);
  const logs = trained.map(Math.log);
  const rounded = config.use_karras_sigmas && !(dpm && config.beta_schedule === 'squaredcos_cap_v2');
  const whole = (t: number) => (rounded ? roundEven(t) : Math.trunc(t));
  const last = dpm || end === 0 ? end : (sigmas[steps - 1] as number);
  return {
    timesteps: sigmas.map((sigma) => whole(sigmaToTimestep(sigma, logs))),
    sigmas: [...sigmas, last].map(Math.fround),
  };
}
