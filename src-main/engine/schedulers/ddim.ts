import type { SchedulerConfig } from './config.ts';
import { alphasCumprod, noiseLevelAt } from './noiseSchedule.ts';
import { clippedX0, predictedNoise } from './prediction.ts';
import { ofVarianceOne, type Sampler } from './sampler.ts';
import { roundEven, spacedTimesteps } from './timesteps.ts';
import { combine } from './vector.ts';

/**
 * DDIM with η = 0: Song, Meng, Ermon 2020, equation 12. Follows diffusers' DDIMScheduler: the previous timestep is
 * a whole ratio back whatever the spacing, and below 0 it is ᾱ = 1 or ᾱ_0 (`set_alpha_to_one`).
 */
export function ddim(config: SchedulerConfig, steps: number): Sampler {
  const alphas = alphasCumprod(config);
  const timesteps = spacedTimesteps(config, steps).map(roundEven);
  const ratio = Math.floor(config.num_train_timesteps / steps);
  return {
    ...ofVarianceOne(timesteps, (i) => noiseLevelAt(alphas, timesteps[i] as number)),
    step(output, i, x) {
      const t = timesteps[i] as number;
      const alphaBar = alphas[t] as number;
      const previous =
        t >= ratio ? (alphas[t - ratio] as number) : config.set_alpha_to_one ? 1 : (alphas[0] as number);
      const [alpha, sigma] = [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)];
      const noise = predictedNoise(config.prediction_type, output, x, alpha, sigma);
      const kept = clippedX0(config, output, x, alphaBar);
      return combine([Math.sqrt(previous), kept], [Math.sqrt(1 - previous), noise]);
    },
  };
}
