import type { SchedulerConfig } from './config.ts';
import { halfLogSnr, multistepSchedule, noiseLevelOf } from './multistepSchedule.ts';
import { predictedNoise } from './prediction.ts';
import { ofVarianceOne, type Sampler } from './sampler.ts';
import { combine } from './vector.ts';

/**
 * DEIS: Zhang & Chen 2022, the exponential integrator with polynomials in log ρ, ρ = σ/α, as diffusers'
 * DEISMultistepScheduler runs it: x/α moves along the noise by ∫ dρ, the noise extrapolated over up to three outputs.
 */
export function deis(config: SchedulerConfig, steps: number): Sampler {
  const { timesteps, sigmas: rho } = multistepSchedule(config, steps, false);
  const count = timesteps.length;
  let newestFirst: Float32Array[] = [];
  return {
    ...ofVarianceOne(timesteps, (i) => noiseLevelOf(rho[i] as number)),
    step(output, i, x) {
      const [now, next] = [rho[i] as number, rho[i + 1] as number];
      const { alpha, sigma } = halfLogSnr(now);
      const noise = predictedNoise(config.prediction_type, output, x, alpha, sigma);
      newestFirst = [noise, ...newestFirst].slice(0, config.solver_order);
      const left = config.lower_order_final && count < 15 ? count - i : Infinity;
      const used = newestFirst.slice(0, left);
      const logs = used.map((_, back) => Math.log(rho[i - back] as number));
      const to = halfLogSnr(next).alpha;
      return combine(
        [to / alpha, x],
        ...used.map(
          (values, k) => [to * (integral(logs, k, next) - integral(logs, k, now)), values] as const,
        ),
      );
    },
  };
}

/** ∫ of node k's Lagrange polynomial in log ρ, from 0 to ρ: ∫ log ρ = ρ(log ρ − 1), ∫ log² ρ = ρ(log² ρ − 2 log ρ + 2). */
function integral(logs: readonly number[], k: number, rho: number): number {
  const own = logs[k] as number;
  const [c, d] = logs.filter((_, j) => j !== k);
  if (c === undefined) return rho;
  const log = Math.log(rho);
  if (d === undefined) return (rho * (log - c - 1)) / (own - c);
  return (rho * (log ** 2 - (2 + c + d) * log + c * d + c + d + 2)) / ((own - c) * (own - d));
}
