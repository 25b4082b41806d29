import { problem } from '../../../src-shared/messages/index.ts';
import { resolveScheduler, type SchedulerConfig, type SchedulerName } from './config.ts';
import { ddim } from './ddim.ts';
import { ddpm } from './ddpm.ts';
import { deis } from './deis.ts';
import { dpmSolver } from './dpmSolver.ts';
import { euler } from './euler.ts';
import { eulerAncestral } from './eulerAncestral.ts';
import { heun } from './heun.ts';
import { lcm } from './lcm.ts';
import { lms } from './lms.ts';
import { alphasCumprod } from './noiseSchedule.ts';
import { pndm } from './pndm.ts';
import { predictedX0 } from './prediction.ts';
import type { Sampler } from './sampler.ts';
import { unipc } from './unipc.ts';

const samplers: Record<SchedulerName, (config: SchedulerConfig, steps: number) => Sampler> = {
  pndm,
  ddim,
  ddpm,
  'dpm++2m': dpmSolver,
  euler,
  'euler-a': eulerAncestral,
  lms,
  heun,
  'dpm++2m-sde': dpmSolver,
  deis,
  unipc,
  lcm,
};

/** The samplers that take σ at fractions of a timestep, and past the schedule's end its last. */
const interpolating: ReadonlySet<SchedulerName> = new Set(['euler', 'euler-a', 'lms', 'heun']);

/** A sampler that also tells how the picture looks so far. */
export interface NamedSampler extends Sampler {
  readonly name: SchedulerName;
  /** The folder's own class, where that is not built and this sampler draws in its place. */
  readonly standsFor?: string;
  /** x0 as the U-Net's output at step i implies it. Whatever the sampler, its input there is √ᾱ·x0 + √(1−ᾱ)·noise. */
  clean(output: Float32Array, input: Float32Array, i: number): Float32Array;
}

/**
 * The step that begins with as much noise as `strength` (0…1] leaves of a picture: diffusers' `get_timesteps`. Errors: `strength.tooLow`.
 */
export function firstStep(
  { callsPerStep = 1 }: Pick<Sampler, 'callsPerStep'>,
  steps: number,
  strength: number,
): number {
  const taken = Math.min(Math.trunc(steps * strength), steps);
  if (taken < 1) throw problem('strength.tooLow', { strength, steps });
  return (steps - taken) * callsPerStep;
}

/** Whether a `scheduler_config.json` is of a latent consistency model, which draws in four steps. */
export function isMadeForFewSteps(schedulerConfig: Readonly<Record<string, unknown>>): boolean {
  return schedulerConfig['_class_name'] === 'LCMScheduler';
}

/**
 * The sampler `name` (the folder's own when undefined) made from a parsed `scheduler_config.json`, as
 * StableDiffusionPipeline would make it. `file` is named in errors; `fromPicture`: drawing begins in the middle.
 */
export function makeSampler(
  name: SchedulerName | undefined,
  schedulerConfig: unknown,
  steps: number,
  file = 'scheduler_config.json',
  fromPicture = false,
): NamedSampler {
  const { name: chosen, config: said, standsFor } = resolveScheduler(schedulerConfig, name, file);
  // Runge–Kutta steps can't begin in the middle; diffusers' pipeline for inpainting leaves them out too.
  const config = fromPicture ? { ...said, skip_prk_steps: true } : said;
  const total = config.num_train_timesteps;
  // Consistency models take some of the steps that they were distilled on.
  const most = chosen === 'lcm' ? Math.min(total, config.original_inference_steps) : total;
  const tooFew = chosen === 'pndm' && !config.skip_prk_steps ? 4 : 1;
  if (!Number.isInteger(steps) || steps < tooFew || steps > most) {
    throw problem('scheduler.steps', { steps, min: tooFew, max: most });
  }
  const sampler = samplers[chosen](config, steps);
  // `leading` spacing plus its offset runs past the end of the schedule when every step is taken.
  if (sampler.timesteps.some((t) => t >= total + (interpolating.has(chosen) ? 1 : 0))) {
    throw problem('scheduler.steps', { steps, min: tooFew, max: total - 1 });
  }
  const alphas = alphasCumprod(config);
  return {
    ...sampler,
    name: chosen,
    ...(standsFor !== undefined && { standsFor }),
    clean: (output, input, i) => {
      const alphaBar = alphas[Math.min(total - 1, Math.round(sampler.timesteps[i] as number))] as number;
      return predictedX0(config.prediction_type, output, input, Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar));
    },
  };
}
