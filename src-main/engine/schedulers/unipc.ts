import type { SchedulerConfig } from './config.ts';
import { halfLogSnr, multistepSchedule, noiseLevelOf } from './multistepSchedule.ts';
import { predictedX0 } from './prediction.ts';
import { ofVarianceOne, type Sampler } from './sampler.ts';
import { solve } from './solve.ts';
import { combine } from './vector.ts';

/**
 * UniPC in x0: Zhao et al. 2023, algorithms 5 and 7 (UniC, UniP), as diffusers' UniPCMultistepScheduler runs it. Each
 * output first corrects the step that led to it, then predicts the next.
 */
export function unipc(config: SchedulerConfig, steps: number): Sampler {
  const { timesteps, sigmas } = multistepSchedule(config, steps, false);
  const at = sigmas.map(halfLogSnr);
  /** The newest first, each with its λ. */
  let known: { x0: Float32Array; lambda: number }[] = [];
  let start: Float32Array = new Float32Array();
  let order = 0;

  /** From `start` at point i to point i + 1, over `order` known x0 and, to correct, the one found at i + 1. */
  function move(i: number, found?: Float32Array): Float32Array {
    const [now, next] = [at[i], at[i + 1]];
    const [newest, ...older] = known.slice(0, order);
    if (!now || !next || !newest) throw new Error(`unipc: no step ${i}`);
    const h = next.lambda - now.lambda;
    const expm1 = Math.expm1(-h);
    const scale = config.solver_type === 'bh1' ? -h : expm1;
    const ratios = older.map(({ lambda }) => (lambda - now.lambda) / h);
    const slopes = [...older.map(({ x0 }) => x0), ...(found ? [found] : [])];
    const places = found ? [...ratios, 1] : ratios;
    const shares = weights(places, h, scale).map((weight, k) => (weight * scale) / (places[k] as number));
    const total = shares.reduce((sum, share) => sum + share, 0);
    return combine(
      [next.sigma / now.sigma, start],
      [-next.alpha * (expm1 - total), newest.x0],
      ...slopes.map((x0, k) => [-next.alpha * (shares[k] as number), x0] as const),
    );
  }

  return {
    ...ofVarianceOne(timesteps, (i) => noiseLevelOf(sigmas[i] as number)),
    step(output, i, x) {
      const { alpha, sigma, lambda } = at[i] as (typeof at)[number];
      const x0 = predictedX0(config.prediction_type, output, x, alpha, sigma);
      start = known.length > 0 && !config.disable_corrector.includes(i - 1) ? move(i - 1, x0) : x;
      known = [{ x0, lambda }, ...known].slice(0, config.solver_order);
      // At σ = 0, λ is infinite: x is the newest x0, whatever was before.
      const left = sigmas[i + 1] === 0 ? 1 : config.lower_order_final ? timesteps.length - i : Infinity;
      order = Math.min(known.length, left);
      return move(i);
    },
  };
}

/**
 * The weight of each difference from the newest x0: equation 10 of the paper, Σ weight·placeⁿ⁻¹ = n!·φₙ₊₁/B; one alone counts
 * half.
 */
function weights(places: readonly number[], h: number, scale: number): number[] {
  if (places.length < 2) return places.map(() => 0.5);
  let [phi, factorial] = [Math.expm1(-h) / -h - 1, 1];
  const sums = places.map((_, n) => {
    const sum = (phi * factorial) / scale;
    factorial *= n + 2;
    phi = phi / -h - 1 / factorial;
    return sum;
  });
  return solve(
    places.map((_, n) => places.map((place) => place ** n)),
    sums,
  );
}
