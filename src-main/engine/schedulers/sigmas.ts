import type { SchedulerConfig } from './config.ts';
import { alphasCumprod } from './noiseSchedule.ts';
import { linspace } from './timesteps.ts';

const f = Math.fround;

/** σ_t = √((1−ᾱ)/ᾱ) of every training step, and the ᾱ they come from; zero-SNR schedules end just above ᾱ = 0. */
export function trainingSigmas(config: SchedulerConfig): { alphas: Float32Array; sigmas: Float32Array } {
  const alphas = alphasCumprod(config);
  if (config.rescale_betas_zero_snr) alphas[alphas.length - 1] = 2 ** -24;
  return { alphas, sigmas: alphas.map((alpha) => Math.sqrt(f(f(1 - alpha) / alpha))) };
}

/** `numpy.interp(at, [0, 1, …], values)`. */
export function interpolate(values: Float32Array, at: number): number {
  const last = values.length - 1;
  const low = Math.min(Math.max(Math.floor(at), 0), last);
  const from = values[low] as number;
  return low === last ? from : from + ((values[low + 1] as number) - from) * (Math.max(at, 0) - low);
}

/** The fractional timestep at which the training schedule has this σ, interpolated in log σ. */
export function sigmaToTimestep(sigma: number, logSigmas: Float32Array): number {
  const logSigma = Math.log(Math.max(sigma, 1e-10));
  let low = 0;
  for (let t = 0; t < logSigmas.length; t++) if ((logSigmas[t] as number) <= logSigma) low = t;
  low = Math.min(low, logSigmas.length - 2);
  const [from, to] = [logSigmas[low] as number, logSigmas[low + 1] as number];
  const weight = Math.min(1, Math.max(0, (from - logSigma) / f(from - to)));
  return (1 - weight) * low + weight * (low + 1);
}

/** Karras et al. 2022, equation 5, with ρ = 7; descending. */
export function karrasSigmas(min: number, max: number, steps: number): number[] {
  const [minRoot, maxRoot] = [min ** (1 / 7), max ** (1 / 7)];
  return linspace(0, 1, steps).map((ramp) => (maxRoot + ramp * (minRoot - maxRoot)) ** 7);
}

/** Evenly spaced in log σ; descending. */
export function exponentialSigmas(min: number, max: number, steps: number): number[] {
  return linspace(Math.log(max), Math.log(min), steps).map(Math.exp);
}

/** σ after the last step. */
export function finalSigma(config: SchedulerConfig, sigmas: Float32Array): number {
  return config.final_sigmas_type === 'zero' ? 0 : (sigmas[0] as number);
}
