import type { SchedulerConfig } from './config.ts';
import { halfLogSnr, multistepSchedule, noiseLevelOf } from './multistepSchedule.ts';
import { predictedX0 } from './prediction.ts';
import { ofVarianceOne, type Sampler } from './sampler.ts';
import { combine } from './vector.ts';

/**
 * DPM-Solver++(2M): Lu et al. 2022 (DPM-Solver++), algorithm 2, as diffusers' DPMSolverMultistepScheduler runs it:
 * first order at the start and, by its settings, at the end. SDE-DPM-Solver++(2M) where `algorithm_type` says so: the
 * same paper, appendix B; noise is drawn in the last step too, and multiplied by σ = 0 where that is where it ends.
 */
export function dpmSolver(config: SchedulerConfig, steps: number): Sampler {
  const { timesteps, sigmas } = multistepSchedule(config, steps, true);
  const count = timesteps.length;
  const at = sigmas.map(halfLogSnr);
  const sde = config.algorithm_type === 'sde-dpmsolver++';
  const few = count < 15 && config.lower_order_final;
  let last: Float32Array | null = null;
  return {
    ...ofVarianceOne(timesteps, (i) => noiseLevelOf(sigmas[i] as number)),
    step(output, i, x, noise) {
      const [before, now, next] = [at[i - 1], at[i], at[i + 1]];
      if (!now || !next) throw new Error(`dpmSolver: no step ${i}`);
      const x0 = predictedX0(config.prediction_type, output, x, now.alpha, now.sigma);
      const previousX0 = last;
      last = x0;
      const h = next.lambda - now.lambda;
      // The reverse SDE forgets x twice as fast as the ODE, and fresh noise takes its place.
      const span = sde ? 2 * h : h;
      const expm1 = Math.expm1(-span);
      const carried = [(next.sigma / now.sigma) * (sde ? Math.exp(-h) : 1), x] as const;
      const fresh = sde ? [[next.sigma * Math.sqrt(-expm1), noise()] as const] : [];

      const closing =
        i === count - 1 && (config.euler_at_final || few || config.final_sigmas_type === 'zero');
      if (config.solver_order === 1 || closing || !previousX0 || !before) {
        return combine(carried, [-next.alpha * expm1, x0], ...fresh);
      }
      const slope = config.solver_type === 'midpoint' ? -0.5 * expm1 : expm1 / span + 1;
      const share = (next.alpha * slope * h) / (now.lambda - before.lambda);
      return combine(carried, [-next.alpha * expm1 + share, x0], [-share, previousX0], ...fresh);
    },
  };
}
