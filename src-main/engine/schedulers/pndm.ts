import type { SchedulerConfig } from './config.ts';
import { alphasCumprod, noiseLevelAt } from './noiseSchedule.ts';
import { predictedNoise } from './prediction.ts';
import { ofVarianceOne, type Sampler } from './sampler.ts';
import { roundEven, spacedTimesteps } from './timesteps.ts';
import { combine } from './vector.ts';

/**
 * Pseudo numerical methods: Liu, Ren, Lin, Zhao 2022, with the quirks of diffusers' PNDMScheduler. Linear multistep
 * (PLMS) over up to four outputs, begun either by visiting the second timestep twice (`skip_prk_steps`) or by three
 * pseudo Runge–Kutta steps of four calls each.
 */
export function pndm(config: SchedulerConfig, steps: number): Sampler {
  const alphas = alphasCumprod(config);
  const ratio = Math.floor(config.num_train_timesteps / steps);
  const plain = spacedTimesteps(config, steps).map(roundEven);
  const prk = config.skip_prk_steps ? [] : rungeKuttaTimesteps(plain, Math.floor(ratio / 2));
  const plms = config.skip_prk_steps ? [plain[0], plain[1], ...plain.slice(1)] : plain.slice(3);
  const timesteps = [...prk, ...plms].filter((t) => t !== undefined);

  const alphaBarAt = (t: number) => (t >= 0 ? alphas[t] : config.set_alpha_to_one ? 1 : alphas[0]) as number;

  /** x at `previous` from x at `t` and the noise direction: equation 9 of the paper. */
  function transfer(x: Float32Array, t: number, previous: number, output: Float32Array): Float32Array {
    const from = alphaBarAt(t);
    const to = alphaBarAt(previous);
    const noise = predictedNoise(config.prediction_type, output, x, Math.sqrt(from), Math.sqrt(1 - from));
    const denominator = from * Math.sqrt(1 - to) + Math.sqrt(from * (1 - from) * to);
    return combine([Math.sqrt(to / from), x], [-(to - from) / denominator, noise]);
  }

  let visits = 0;
  let history: Float32Array[] = [];
  let heldX: Float32Array = new Float32Array();
  let heldSum: Float32Array = new Float32Array();

  function rungeKuttaStep(output: Float32Array, i: number, x: Float32Array): Float32Array {
    const stage = i % 4;
    const t = timesteps[i] as number;
    if (stage === 0) {
      history.push(output);
      heldX = x;
      heldSum = combine([1 / 6, output]);
    } else {
      heldSum = combine([1, heldSum], [stage === 3 ? 1 / 6 : 1 / 3, output]);
    }
    const previous = stage % 2 ? t : t - Math.floor(ratio / 2);
    return transfer(heldX, prk[i - stage] as number, previous, stage === 3 ? heldSum : output);
  }

  function multistep(output: Float32Array, i: number, x: Float32Array): Float32Array {
    const t = timesteps[i] as number;
    const visit = visits++;
    if (visit === 1 && prk.length === 0) {
      // Second visit: repeat the first step with the mean of both outputs.
      return transfer(heldX, t + ratio, t, combine([0.5, output], [0.5, history[0] as Float32Array]));
    }
    if (visit === 0) heldX = x;
    history = [...history.slice(-3), output];
    const weights = adamsBashforth[history.length - 1] as readonly number[];
    const direction = combine(
      ...weights.map((weight, k) => [weight, history[history.length - 1 - k] as Float32Array] as const),
    );
    return transfer(x, t, t - ratio, direction);
  }

  return {
    ...ofVarianceOne(timesteps, (i) => noiseLevelAt(alphas, timesteps[i] as number)),
    step: (output, i, x) => (i < prk.length ? rungeKuttaStep(output, i, x) : multistep(output, i, x)),
  };
}

/** Newest output first. */
const adamsBashforth = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
] as const;

/** The first four timesteps t0 > t1 > t2 > t3 as Runge–Kutta visits them: t0, m, m, t1, t1, m′, m′, t2, …; m a half step on. */
function rungeKuttaTimesteps(plain: readonly number[], half: number): number[] {
  const ascending = plain.slice(0, 4).reverse();
  const pairs = ascending.flatMap((t) => [t, t + half]).slice(0, -1);
  return pairs
    .flatMap((t) => [t, t])
    .slice(1, -1)
    .reverse();
}
