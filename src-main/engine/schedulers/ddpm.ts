import type { SchedulerConfig } from './config.ts';
import { alphasCumprod, noiseLevelAt } from './noiseSchedule.ts';
import { clippedX0 } from './prediction.ts';
import { ofVarianceOne, type Sampler } from './sampler.ts';
import { roundEven, spacedTimesteps } from './timesteps.ts';
import { combine } from './vector.ts';

/** Ancestral sampling: Ho, Jain, Abbeel 2020, equations 6 and 7, on a subsequence of steps as in diffusers' DDPMScheduler. */
export function ddpm(config: SchedulerConfig, steps: number): Sampler {
  const alphas = alphasCumprod(config);
  const timesteps = spacedTimesteps(config, steps).map(roundEven);
  return {
    ...ofVarianceOne(timesteps, (i) => noiseLevelAt(alphas, timesteps[i] as number)),
    step(output, i, x, noise) {
      const t = timesteps[i] as number;
      const alphaBar = alphas[t] as number;
      const next = timesteps[i + 1];
      const previous = next === undefined ? 1 : (alphas[next] as number);
      const alpha = alphaBar / previous;
      const beta = 1 - alpha;

      const kept = clippedX0(config, output, x, alphaBar);
      const keptShare = (Math.sqrt(previous) * beta) / (1 - alphaBar);
      const xShare = (Math.sqrt(alpha) * (1 - previous)) / (1 - alphaBar);
      if (t === 0) return combine([keptShare, kept], [xShare, x]);

      const posterior = Math.max(((1 - previous) / (1 - alphaBar)) * beta, 1e-20);
      const deviation = Math.sqrt(config.variance_type === 'fixed_large' ? beta : posterior);
      return combine([keptShare, kept], [xShare, x], [deviation, noise()]);
    },
  };
}
