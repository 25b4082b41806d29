import type { SchedulerConfig } from './config.ts';
import { derivative, inSigma, sigmaSchedule } from './euler.ts';
import type { Sampler } from './sampler.ts';
import { clamp, combine } from './vector.ts';

/**
 * Heun's method in σ: Karras et al. 2022, algorithm 1, as diffusers' HeunDiscreteScheduler runs it. Each step but the
 * last calls the U-Net twice: an Euler step, then again from the start with the mean of the slopes at both ends.
 */
export function heun(config: SchedulerConfig, steps: number): Sampler {
  const single = sigmaSchedule(config, steps);
  const twice = (values: readonly number[]) =>
    values.flatMap((value, i) => (i === 0 ? [value] : [value, value]));
  const sigmas = twice(single.sigmas);
  let start: Float32Array = new Float32Array();
  let slope: Float32Array = new Float32Array();
  return {
    ...inSigma(config, twice(single.timesteps), sigmas),
    callsPerStep: 2,
    step(output, i, x) {
      const [sigma, next] = [sigmas[i] as number, sigmas[i + 1] as number];
      const here = clipped(config, derivative(config, output, x, sigma), x, sigma);
      if (i % 2 === 1) {
        const half = (sigma - (sigmas[i - 1] as number)) / 2;
        return combine([1, start], [half, slope], [half, here]);
      }
      [start, slope] = [x, here];
      return combine([1, x], [next - sigma, here]);
    },
  };
}

/** The slope towards x0 = x − σ·slope, clipped where the configuration says. */
function clipped(config: SchedulerConfig, slope: Float32Array, x: Float32Array, sigma: number): Float32Array {
  if (!config.clip_sample) return slope;
  const x0 = clamp(combine([1, x], [-sigma, slope]), config.clip_sample_range);
  return combine([1 / sigma, x], [-1 / sigma, x0]);
}
