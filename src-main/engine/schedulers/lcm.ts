import type { SchedulerConfig } from './config.ts';
import { alphasCumprod, noiseLevelAt } from './noiseSchedule.ts';
import { clippedX0 } from './prediction.ts';
import { ofVarianceOne, type Sampler } from './sampler.ts';
import { combine } from './vector.ts';

/** The standard deviation of the data that the boundary condition assumes. */
const dataDeviation = 0.5;

/** The timesteps of the DDIM sampler with `count` steps that a model is distilled on, from the least noise to the most. */
export function solverTimesteps(count: number, trained: number): number[] {
  const ratio = Math.floor(trained / count);
  return Array.from({ length: count }, (_, i) => (i + 1) * ratio - 1);
}

/** What a consistency function is made of at timestep t: skip·x + out·x0, which is x itself at 0 (Song et al. 2023, appendix C). */
export function boundary(t: number, scaling: number): { readonly skip: number; readonly out: number } {
  const scaled = t * scaling;
  const spread = scaled ** 2 + dataDeviation ** 2;
  return { skip: dataDeviation ** 2 / spread, out: scaled / Math.sqrt(spread) };
}

/**
 * Multistep consistency sampling: Luo et al. 2023 (Latent Consistency Models), algorithm 3, as diffusers' LCMScheduler
 * runs it: the timesteps are some of the `original_inference_steps` that the model was distilled on, and every step but
 * the last puts fresh noise on its x0.
 */
export function lcm(config: SchedulerConfig, steps: number): Sampler {
  const alphas = alphasCumprod(config);
  const original = config.original_inference_steps;
  const ratio = Math.floor(config.num_train_timesteps / original);
  const timesteps = Array.from(
    { length: steps },
    (_, i) => (original - Math.floor(i * (original / steps))) * ratio - 1,
  );
  return {
    ...ofVarianceOne(timesteps, (i) => noiseLevelAt(alphas, timesteps[i] as number)),
    step(output, i, x, noise) {
      const [t, next] = [timesteps[i] as number, timesteps[i + 1]];
      const alphaBar = alphas[t] as number;
      const kept = clippedX0(config, output, x, alphaBar);
      const { skip, out } = boundary(t, config.timestep_scaling);
      if (next === undefined) return combine([out, kept], [skip, x]);
      const previous = alphas[next] as number;
      const root = Math.sqrt(previous);
      return combine([root * out, kept], [root * skip, x], [Math.sqrt(1 - previous), noise()]);
    },
  };
}
