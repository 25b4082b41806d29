import type { SchedulerConfig } from './config.ts';
import { derivative, inSigma } from './euler.ts';
import type { Sampler } from './sampler.ts';
import { interpolate, trainingSigmas } from './sigmas.ts';
import { spacedTimesteps } from './timesteps.ts';
import { combine } from './vector.ts';

/**
 * Euler steps down to σ_down, then fresh noise up to the next σ: k-diffusion's sample_euler_ancestral, as diffusers'
 * EulerAncestralDiscreteScheduler runs it (noise is drawn in the last step too, and multiplied by zero).
 */
export function eulerAncestral(config: SchedulerConfig, steps: number): Sampler {
  const { sigmas: trained } = trainingSigmas(config);
  const timesteps = spacedTimesteps(config, steps).map(Math.fround);
  const sigmas = [...timesteps.map((t) => Math.fround(interpolate(trained, t))), 0];
  return {
    ...inSigma(config, timesteps, sigmas),
    step(output, i, x, noise) {
      const [from, to] = [sigmas[i] as number, sigmas[i + 1] as number];
      const up = Math.sqrt((to ** 2 * (from ** 2 - to ** 2)) / from ** 2);
      const down = Math.sqrt(to ** 2 - up ** 2);
      return combine([1, x], [down - from, derivative(config, output, x, from)], [up, noise()]);
    },
  };
}
