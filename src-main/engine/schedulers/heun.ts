import type { SchedulerConfig } from './config.ts';
import { derivative, initialDeviation, scaled, sigmaSchedule } from './euler.ts';
import type { Sampler } from './sampler.ts';
import { clamp, combine } from './vector.ts';

/**
 * Heun's method in σ: Karras et al. 2022, algorithm 1, as diffusers' HeunDiscreteScheduler runs it. Each step but the
 * last calls the U-Net twice: an Euler step, then again from the start with the mean of the slopes at both ends.
 */
export function heun(config: SchedulerConfig, steps: number): Sampler {
  const single = sigmaSchedule(config, steps);
  const timesteps = single.timesteps.flatMap((t, i) => (i === 0 ? [t] : [t, t]));
  const sigmaOf = (i: number) => single.sigmas[Math.ceil(i / 2)] as number;
  let start: Float32Array = new Float32Array();
  let slope: Float32Array = new Float32Array();
  return {
    timesteps,
    initNoiseSigma: initialDeviation(config, single.sigmas),
    callsPerStep: 2,
    noiseLevel: (i) => [1, sigmaOf(i)],
    scaleInput: (x, i) => scaled(x, sigmaOf(i)),
    step(output, i, x) {
      const sigma = sigmaOf(i);
      const here = clipped(config, derivative(config, output, x, sigma), x, sigma);
      if (i % 2 === 1) {
        const half = (sigma - sigmaOf(i - 1)) / 2;
        return combine([1, start], [half, slope], [half, here]);
      }
      [start, slope] = [x, here];
      return combine([1, x], [sigmaOf(i + 1) - sigma, here]);
    },
  };
}

/** The slope towards x0 = x − σ·slope, clipped where the configuration says. */
function clipped(config: SchedulerConfig, slope: Float32Array, x: Float32Array, sigma: number): Float32Array {
  if (!config.clip_sample) return slope;
  const x0 = clamp(combine([1, x], [-sigma, slope]), config.clip_sample_range);
  return combine([1 / sigma, x], [-1 / sigma, x0]);
}
