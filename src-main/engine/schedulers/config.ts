import * as z from 'zod';
import { problem } from '../../../src-shared/messages/index.ts';

/** The samplers: the names people type, and diffusers' class of each. */
const schedulerClasses = {
  pndm: 'PNDMScheduler',
  ddim: 'DDIMScheduler',
  ddpm: 'DDPMScheduler',
  'dpm++2m': 'DPMSolverMultistepScheduler',
  euler: 'EulerDiscreteScheduler',
  'euler-a': 'EulerAncestralDiscreteScheduler',
  lms: 'LMSDiscreteScheduler',
  heun: 'HeunDiscreteScheduler',
  'dpm++2m-sde': 'DPMSolverMultistepScheduler',
  deis: 'DEISMultistepScheduler',
  unipc: 'UniPCMultistepScheduler',
  lcm: 'LCMScheduler',
} as const;

export type SchedulerName = keyof typeof schedulerClasses;
export const schedulerNames = Object.keys(schedulerClasses) as SchedulerName[];

const flag = z.boolean();
const keys = z.object({
  num_train_timesteps: z.int().min(1).max(100_000),
  beta_start: z.number().positive().lt(1),
  beta_end: z.number().positive().lt(1),
  beta_schedule: z.enum(['linear', 'scaled_linear', 'squaredcos_cap_v2']),
  trained_betas: z.array(z.number().gt(0).lte(1)).nullable(),
  rescale_betas_zero_snr: flag,
  prediction_type: z.enum(['epsilon', 'sample', 'v_prediction']),
  timestep_spacing: z.enum(['leading', 'linspace', 'trailing']),
  steps_offset: z.int().min(0).max(1000),
  set_alpha_to_one: flag,
  skip_prk_steps: flag,
  clip_sample: flag,
  clip_sample_range: z.number().positive(),
  variance_type: z.enum(['fixed_small', 'fixed_small_log', 'fixed_large']),
  solver_order: z.int().min(1).max(3),
  solver_type: z.enum(['midpoint', 'heun', 'bh1', 'bh2']),
  algorithm_type: z.enum(['dpmsolver++', 'sde-dpmsolver++']),
  lower_order_final: flag,
  euler_at_final: flag,
  // zod's number is finite, and −Infinity is the default here.
  lambda_min_clipped: z.custom<number>((value) => typeof value === 'number'),
  final_sigmas_type: z.enum(['zero', 'sigma_min']),
  use_karras_sigmas: flag,
  use_exponential_sigmas: flag,
  sigma_min: z.number().positive().nullable(),
  sigma_max: z.number().positive().nullable(),
  interpolation_type: z.enum(['linear', 'log_linear']),
  timestep_type: z.enum(['discrete', 'continuous']),
  disable_corrector: z.array(z.int().min(0)).readonly(),
  original_inference_steps: z.int().min(1).max(100_000),
  timestep_scaling: z.number().positive(),
  // Known to diffusers and not to us: only the default is accepted.
  predict_x0: z.literal(true),
  thresholding: z.literal(false),
  use_beta_sigmas: z.literal(false),
  use_lu_lambdas: z.literal(false),
  use_flow_sigmas: z.literal(false),
});

/** A scheduler's configuration with every key present; names and defaults are diffusers'. */
export type SchedulerConfig = Readonly<z.infer<typeof keys>>;

const defaults: SchedulerConfig = {
  num_train_timesteps: 1000,
  beta_start: 0.0001,
  beta_end: 0.02,
  beta_schedule: 'linear',
  trained_betas: null,
  rescale_betas_zero_snr: false,
  prediction_type: 'epsilon',
  timestep_spacing: 'leading',
  steps_offset: 0,
  set_alpha_to_one: true,
  skip_prk_steps: false,
  clip_sample: true,
  clip_sample_range: 1,
  variance_type: 'fixed_small',
  solver_order: 2,
  solver_type: 'midpoint',
  algorithm_type: 'dpmsolver++',
  lower_order_final: true,
  euler_at_final: false,
  lambda_min_clipped: -Infinity,
  final_sigmas_type: 'zero',
  use_karras_sigmas: false,
  use_exponential_sigmas: false,
  sigma_min: null,
  sigma_max: null,
  interpolation_type: 'linear',
  timestep_type: 'discrete',
  disable_corrector: [],
  original_inference_steps: 50,
  timestep_scaling: 10,
  predict_x0: true,
  thresholding: false,
  use_beta_sigmas: false,
  use_lu_lambdas: false,
  use_flow_sigmas: false,
};

const sigmaKeys = [
  ...['final_sigmas_type', 'use_karras_sigmas', 'use_exponential_sigmas', 'use_beta_sigmas'],
  ...['sigma_min', 'sigma_max', 'rescale_betas_zero_snr'],
] as const;
const noiseKeys = [
  ...['num_train_timesteps', 'beta_start', 'beta_end', 'beta_schedule', 'trained_betas'],
  'prediction_type',
] as const;
const commonKeys = [...noiseKeys, 'timestep_spacing', 'steps_offset'] as const;
const clippingKeys = ['clip_sample', 'clip_sample_range', 'thresholding', 'rescale_betas_zero_snr'] as const;

const dpmKeys = [
  ...['solver_order', 'solver_type', 'algorithm_type', 'lower_order_final', 'euler_at_final'],
  ...['lambda_min_clipped', 'thresholding', 'use_lu_lambdas', 'use_flow_sigmas', ...sigmaKeys],
] as const;

/** What each class reads beyond the common keys; anything else in a file means nothing to it. */
const ownKeys: Record<SchedulerName, readonly string[]> = {
  pndm: ['skip_prk_steps', 'set_alpha_to_one'],
  ddim: ['set_alpha_to_one', ...clippingKeys],
  ddpm: ['variance_type', ...clippingKeys],
  'dpm++2m': dpmKeys,
  euler: ['interpolation_type', 'timestep_type', ...sigmaKeys],
  'euler-a': ['rescale_betas_zero_snr'],
  lms: ['use_karras_sigmas', 'use_exponential_sigmas', 'use_beta_sigmas'],
  heun: [
    ...['use_karras_sigmas', 'use_exponential_sigmas', 'use_beta_sigmas', 'sigma_min', 'sigma_max'],
    ...['clip_sample', 'clip_sample_range'],
  ],
  'dpm++2m-sde': dpmKeys,
  deis: [
    ...[
      'solver_order',
      'lower_order_final',
      'use_karras_sigmas',
      'use_exponential_sigmas',
      'sigma_min',
      'sigma_max',
    ],
    ...['thresholding', 'use_beta_sigmas', 'use_flow_sigmas'],
  ],
  unipc: [
    ...['solver_order', 'solver_type', 'lower_order_final', 'disable_corrector', 'predict_x0'],
    ...['thresholding', 'use_flow_sigmas', ...sigmaKeys],
  ],
  lcm: ['original_inference_steps', 'timestep_scaling', ...clippingKeys],
};

const classDefaults: Record<SchedulerName, Partial<SchedulerConfig>> = {
  pndm: { set_alpha_to_one: false },
  ddim: {},
  ddpm: {},
  'dpm++2m': { timestep_spacing: 'linspace' },
  euler: { timestep_spacing: 'linspace' },
  'euler-a': { timestep_spacing: 'linspace' },
  lms: { timestep_spacing: 'linspace' },
  heun: { timestep_spacing: 'linspace', beta_start: 0.00085, beta_end: 0.012, clip_sample: false },
  'dpm++2m-sde': { timestep_spacing: 'linspace', algorithm_type: 'sde-dpmsolver++' },
  deis: { timestep_spacing: 'linspace', final_sigmas_type: 'sigma_min' },
  unipc: { timestep_spacing: 'linspace', solver_type: 'bh2' },
  lcm: { beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear', clip_sample: false },
};

/**
 * What `StableDiffusionPipeline` makes of a folder's scheduler. Without `name`, its own class: the pipeline sets `steps_offset` 1
 * and `clip_sample` false whatever the file says (StableDiffusionPipeline.__init__). With `name`,
 * `Class.from_config(pipe.scheduler.config)`: keys of the file are carried over with these corrections, and missing keys get the
 * new class's defaults without them.
 */
export function resolveScheduler(
  json: unknown,
  name: SchedulerName | undefined,
  file: string,
): { name: SchedulerName; config: SchedulerConfig; standsFor?: string } {
  const entries = z.record(z.string(), z.unknown()).safeParse(json);
  if (!entries.success) throw problem('scheduler.training', { file, why: 'it is not a JSON object' });
  refuseOtherTraining(entries.data, file);
  const className = entries.data._class_name;
  const own = ownSampler(entries.data);
  const other = own === undefined && typeof className === 'string' ? standIn(className) : undefined;
  const chosen = name ?? own ?? other;
  if (!chosen) {
    throw problem('scheduler.unknownClass', {
      file,
      found: typeof entries.data._class_name === 'string' ? entries.data._class_name : 'no class',
      known: schedulerNames.join(', '),
    });
  }
  // Keys of a class that is not built here mean other things; a stand-in needs only how the model was trained.
  const given = presentKeys(
    withoutForeignKeys(entries.data, chosen, name !== undefined),
    other === undefined ? [...commonKeys, ...ownKeys[chosen]] : commonKeys,
    file,
  );
  if (given.solver_order === 3 && ownKeys[chosen] === dpmKeys) {
    throw problem('scheduler.invalid', { file, why: '"solver_order": 3 is not supported' });
  }
  const config: SchedulerConfig = { ...defaults, ...classDefaults[chosen], ...given };
  const mend = (key: string) => name === undefined || key in given;
  return {
    name: chosen,
    ...(name === undefined && other !== undefined && { standsFor: String(className) }),
    config: {
      ...config,
      steps_offset: mend('steps_offset') ? 1 : config.steps_offset,
      clip_sample: mend('clip_sample') ? false : config.clip_sample,
    },
  };
}

/** The sampler that a folder's class and, for the class that holds two, its `algorithm_type` say. */
function ownSampler({ _class_name, algorithm_type }: Readonly<Record<string, unknown>>) {
  const own = schedulerNames.find((known) => schedulerClasses[known] === _class_name);
  return own === 'dpm++2m' && algorithm_type === 'sde-dpmsolver++' ? 'dpm++2m-sde' : own;
}

/**
 * The solvers' classes share the names of keys but not their values. A value of another class gives way to the sampler's own, as
 * in diffusers; so does one that contradicts the name that was `asked` for.
 */
function withoutForeignKeys(
  entries: Readonly<Record<string, unknown>>,
  chosen: SchedulerName,
  asked: boolean,
): Readonly<Record<string, unknown>> {
  const dpm = schedulerClasses[chosen] === 'DPMSolverMultistepScheduler';
  const foreignTypes = ['logrho', ...(dpm ? ['bh1', 'bh2'] : ['midpoint', 'heun'])];
  const foreign = (key: string, value: unknown) =>
    (key === 'solver_type' && foreignTypes.some((type) => type === value)) ||
    (dpm && key === 'algorithm_type' && (asked || value === 'deis')) ||
    (dpm && key === 'solver_order' && asked && value === 3);
  return Object.fromEntries(Object.entries(entries).filter(([key, value]) => !foreign(key, value)));
}

/** The sampler that draws for a diffusers class that is not built here: the nearest of those that are. */
function standIn(className: string): SchedulerName | undefined {
  if (!/Scheduler$/.test(className)) return undefined;
  if (/Ancestral/.test(className)) return 'euler-a';
  return /KDPM2|Euler/.test(className) ? 'euler' : 'dpm++2m';
}

/**
 * No sampler helps where the U-Net predicts what is not known here. Classes of flow matching, EDM and the like have no betas, and
 * what their U-Nets predict is named nowhere. Errors: `scheduler.prediction`.
 */
function refuseOtherTraining(entries: Readonly<Record<string, unknown>>, file: string): void {
  const { _class_name: className, prediction_type: type = null } = entries;
  const hasBetas = ['beta_start', 'beta_end', 'beta_schedule', 'trained_betas'].some((key) => key in entries);
  if (!hasBetas && typeof className === 'string' && ownSampler(entries) === undefined)
    throw problem('scheduler.prediction', { file, what: `${className}, without betas` });
  if (type !== null && !keys.shape.prediction_type.safeParse(type).success)
    throw problem('scheduler.prediction', {
      file,
      what: `"prediction_type": ${JSON.stringify(type).slice(0, 100)}`,
    });
}

/** Those of `read` that the file has, checked. Errors: `scheduler.invalid`, `scheduler.training`. */
function presentKeys(
  entries: Readonly<Record<string, unknown>>,
  read: readonly string[],
  file: string,
): Partial<SchedulerConfig> {
  const present = Object.fromEntries(
    Object.entries(entries).filter(
      ([key, value]) => read.includes(key) && value !== null && value !== -Infinity,
    ),
  );
  const parsed = keys.partial().safeParse(present);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const key = String(issue?.path[0] ?? '');
    const code = noiseKeys.some((known) => known === key) ? 'scheduler.training' : 'scheduler.invalid';
    throw problem(code, {
      file,
      why: `"${key}": ${JSON.stringify(entries[key] ?? null).slice(0, 100)} is not supported`,
    });
  }
  const { trained_betas: betas, num_train_timesteps: steps = defaults.num_train_timesteps } = parsed.data;
  if (betas && betas.length !== steps)
    throw problem('scheduler.training', {
      file,
      why: `its "trained_betas" are ${betas.length} and its "num_train_timesteps" ${steps}`,
    });
  return Object.fromEntries(Object.entries(parsed.data).filter(([, value]) => value !== undefined));
}

/**
 * How a model was trained: its betas and what it predicts, whatever sampler its folder names. Errors:
 * `scheduler.training`, `scheduler.prediction`.
 */
export function trainingConfig(json: unknown, file: string): SchedulerConfig {
  const entries = z.record(z.string(), z.unknown()).safeParse(json);
  if (!entries.success) throw problem('scheduler.training', { file, why: 'it is not a JSON object' });
  refuseOtherTraining(entries.data, file);
  const own = ownSampler(entries.data);
  return {
    ...{ ...defaults, ...(own && classDefaults[own]) },
    ...presentKeys(entries.data, [...noiseKeys, 'rescale_betas_zero_snr'], file),
  };
}
