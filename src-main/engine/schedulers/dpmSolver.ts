import type { SchedulerConfig } from './config.ts';
import { predictedX0 } from './prediction.ts';
import type { Sampler } from './sampler.ts';
import {
  exponentialSigmas,
  finalSigma,
  interpolate,
  karrasSigmas,
  sigmaToTimestep,
  trainingSigmas,
} from './sigmas.ts';
import { dpmTimesteps, roundEven } from './timesteps.ts';
import { combine } from './vector.ts';

/**
 * DPM-Solver++(2M): Lu et al. 2022 (DPM-Solver++), algorithm 2, as diffusers' DPMSolverMultistepScheduler runs it:
 * first order at the start and, by its settings, at the end.
 */
export function dpmSolver(config: SchedulerConfig, steps: number): Sampler {
  const { timesteps, sigmas } = schedule(config, steps);
  const count = timesteps.length;
  const at = sigmas.map((sigma) => {
    const alpha = 1 / Math.sqrt(sigma * sigma + 1);
    return { alpha, sigma: sigma * alpha, lambda: -Math.log(sigma) };
  });
  const few = count < 15 && config.lower_order_final;
  let last: Float32Array | null = null;
  return {
    timesteps,
    initNoiseSigma: 1,
    scaleInput: (x) => x,
    step(output, i, x) {
      const [before, now, next] = [at[i - 1], at[i], at[i + 1]];
      if (!now || !next) throw new Error(`dpmSolver: no step ${i}`);
      const x0 = predictedX0(config.prediction_type, output, x, now.alpha, now.sigma);
      const previousX0 = last;
      last = x0;
      const h = next.lambda - now.lambda;
      const expm1 = Math.expm1(-h);
      const carried = [next.sigma / now.sigma, x] as const;

      const closing =
        i === count - 1 && (config.euler_at_final || few || config.final_sigmas_type === 'zero');
      if (config.solver_order === 1 || closing || !previousX0 || !before) {
        return combine(carried, [-next.alpha * expm1, x0]);
      }
      const slope = config.solver_type === 'midpoint' ? -0.5 * expm1 : expm1 / h + 1;
      const share = (next.alpha * slope * h) / (now.lambda - before.lambda);
      return combine(carried, [-next.alpha * expm1 + share, x0], [-share, previousX0]);
    },
  };
}

function schedule(config: SchedulerConfig, steps: number): { timesteps: number[]; sigmas: number[] } {
  const { sigmas: trained } = trainingSigmas(config);
  const end = Math.fround(finalSigma(config, trained));
  // λ = −log σ below the limit is cut off at the noisy end (squaredcos_cap_v2 needs it).
  const clipped = trained.filter((sigma) => -Math.log(sigma) < config.lambda_min_clipped).length;
  const timesteps = dpmTimesteps(config, steps, config.num_train_timesteps - clipped);
  if (!config.use_karras_sigmas && !config.use_exponential_sigmas) {
    return { timesteps, sigmas: [...timesteps.map((t) => Math.fround(interpolate(trained, t))), end] };
  }
  const min = config.sigma_min ?? (trained[0] as number);
  const max = config.sigma_max ?? (trained[trained.length - 1] as number);
  const sigmas = (config.use_karras_sigmas ? karrasSigmas : exponentialSigmas)(min, max, steps);
  const logs = trained.map(Math.log);
  const rounded = config.use_karras_sigmas && config.beta_schedule !== 'squaredcos_cap_v2';
  const whole = (t: number) => (rounded ? roundEven(t) : Math.trunc(t));
  return {
    timesteps: sigmas.map((sigma) => whole(sigmaToTimestep(sigma, logs))),
    sigmas: [...sigmas.map(Math.fround), end],
  };
}
