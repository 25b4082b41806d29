import type { SchedulerConfig } from './config.ts';
import { derivative, inSigma, sigmaSchedule } from './euler.ts';
import type { Sampler } from './sampler.ts';
import { combine } from './vector.ts';

const order = 4;

/**
 * Linear multistep in σ: Adams–Bashforth on uneven steps over up to four derivatives, k-diffusion's sample_lms, as
 * diffusers' LMSDiscreteScheduler runs it.
 */
export function lms(config: SchedulerConfig, steps: number): Sampler {
  const { timesteps, sigmas } = sigmaSchedule(config, steps);
  let newestFirst: Float32Array[] = [];
  return {
    ...inSigma(config, timesteps, sigmas),
    step(output, i, x) {
      const [sigma, next] = [sigmas[i] as number, sigmas[i + 1] as number];
      newestFirst = [derivative(config, output, x, sigma), ...newestFirst.slice(0, order - 1)];
      // When drawing begins in the middle, diffusers weighs the few derivatives as if there had been earlier ones; so does this.
      const nodes = Array.from({ length: Math.min(i + 1, order) }, (_, back) => sigmas[i - back] as number);
      return combine(
        [1, x],
        ...newestFirst.map((slope, k) => [weight(nodes, k, sigma, next), slope] as const),
      );
    },
  };
}

/** ∫ of node k's Lagrange polynomial. It is at most a cubic, for which two Gauss–Legendre points are exact. */
function weight(nodes: readonly number[], k: number, from: number, to: number): number {
  const own = nodes[k] as number;
  const polynomial = (at: number) =>
    nodes.reduce((product, node, j) => (j === k ? product : (product * (at - node)) / (own - node)), 1);
  const [middle, half] = [(from + to) / 2, (to - from) / 2];
  const offset = half / Math.sqrt(3);
  return half * (polynomial(middle - offset) + polynomial(middle + offset));
}
