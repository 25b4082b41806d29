import type { SchedulerConfig } from './config.ts';
import { alphasCumprod, noiseLevelAt } from './noiseSchedule.ts';
import { predictedX0 } from './prediction.ts';
import type { Sampler } from './sampler.ts';
import { clamp, combine } from './vector.ts';

/** The standard deviation of the data that the boundary condition assumes. */
const dataDeviation = 0.5;

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
    timesteps,
    initNoiseSigma: 1,
    noiseLevel: (i) => noiseLevelAt(alphas, timesteps[i] as number),
    scaleInput: (x) => x,
    step(output, i, x, noise) {
      const [t, next] = [timesteps[i] as number, timesteps[i + 1]];
      const alphaBar = alphas[t] as number;
      const x0 = predictedX0(config.prediction_type, output, x, Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar));
      const kept = config.clip_sample ? clamp(x0, config.clip_sample_range) : x0;
      const scaled = t * config.timestep_scaling;
      const spread = scaled ** 2 + dataDeviation ** 2;
      const [skip, out] = [dataDeviation ** 2 / spread, scaled / Math.sqrt(spread)];
      if (next === undefined) return combine([out, kept], [skip, x]);
      const previous = alphas[next] as number;
      const root = Math.sqrt(previous);
      return combine([root * out, kept], [root * skip, x], [Math.sqrt(1 - previous), noise()]);
    },
  };
}
