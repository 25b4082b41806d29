import { describe, expect, it } from 'vitest';
import { resolveScheduler, schedulerNames, trainingConfig } from '../../src-main/engine/schedulers/config.ts';
import { makeSampler } from '../../src-main/engine/schedulers/index.ts';

const pndm = {
  _class_name: 'PNDMScheduler',
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
};

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'no error';
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
};

describe('resolveScheduler', () => {
  it('refuses a list of betas that is not one for each timestep', () => {
    const betas = { ...pndm, trained_betas: [0.1, 0.2] };
    expect(codeOf(() => resolveScheduler(betas, undefined, 'x'))).toMatch(
      /^scheduler\.training.*"trained_betas" are 2 and its "num_train_timesteps" 1000/,
    );
    expect(
      resolveScheduler({ ...betas, num_train_timesteps: 2 }, undefined, 'x').config.trained_betas,
    ).toEqual([0.1, 0.2]);
  });

  it("mends a folder's own scheduler as StableDiffusionPipeline does, and other classes only where keys are given", () => {
    const own = resolveScheduler({ ...pndm, clip_sample: true }, undefined, 'x').config;
    expect([own.steps_offset, own.set_alpha_to_one, own.timestep_spacing]).toEqual([1, false, 'leading']);
    const other = resolveScheduler(pndm, 'ddim', 'x').config;
    expect([other.steps_offset, other.clip_sample, other.set_alpha_to_one]).toEqual([0, true, true]);
    const given = resolveScheduler({ ...pndm, steps_offset: 0, clip_sample: true }, 'ddim', 'x').config;
    expect([given.steps_offset, given.clip_sample]).toEqual([1, false]);
    expect(resolveScheduler(pndm, 'euler', 'x').config.timestep_spacing).toBe('linspace');
  });

  it('takes the −Infinity that Python writes for "never clipped"', () => {
    const dpm = { _class_name: 'DPMSolverMultistepScheduler', lambda_min_clipped: -Infinity };
    expect(resolveScheduler(dpm, undefined, 'x').config.lambda_min_clipped).toBe(-Infinity);
  });

  it.each([
    ['DPMSolverSinglestepScheduler', { algorithm_type: 'dpmsolver++', solver_order: 2 }, 'dpm++2m'],
    ['KDPM2DiscreteScheduler', {}, 'euler'],
    ['EDMEulerScheduler', { sigma_data: 0.5 }, 'euler'],
    ['KDPM2AncestralDiscreteScheduler', {}, 'euler-a'],
    ['TCDScheduler', { original_inference_steps: 50 }, 'dpm++2m'],
  ])(
    '%s: another sampler draws in its place, and training needs betas and prediction alone',
    (own, more, name) => {
      const folder = { ...pndm, ...more, _class_name: own, prediction_type: 'v_prediction' };
      expect(resolveScheduler(folder, undefined, 'x')).toMatchObject({
        name,
        standsFor: own,
        config: { beta_end: 0.012, prediction_type: 'v_prediction' },
      });
      expect(resolveScheduler(folder, 'ddim', 'x').standsFor).toBeUndefined();
      expect(trainingConfig(folder, 'x')).toMatchObject({
        beta_schedule: 'scaled_linear',
        prediction_type: 'v_prediction',
      });
      expect(makeSampler(undefined, folder, 12).timesteps).toHaveLength(12);
    },
  );

  it('a known class with a setting that no sampler here has can be trained all the same', () => {
    const old = { ...pndm, _class_name: 'DPMSolverMultistepScheduler', algorithm_type: 'sde-dpmsolver' };
    expect(() => resolveScheduler(old, undefined, 'x')).toThrow('algorithm_type');
    expect(trainingConfig(old, 'x').beta_end).toBe(0.012);
  });

  it.each([
    ['LMSDiscreteScheduler', {}, 'lms'],
    ['HeunDiscreteScheduler', {}, 'heun'],
    ['DPMSolverMultistepScheduler', { algorithm_type: 'sde-dpmsolver++' }, 'dpm++2m-sde'],
    ['DPMSolverMultistepScheduler', { algorithm_type: 'dpmsolver++' }, 'dpm++2m'],
    ['DEISMultistepScheduler', { algorithm_type: 'deis', solver_type: 'logrho', solver_order: 3 }, 'deis'],
    ['UniPCMultistepScheduler', { solver_type: 'bh2', predict_x0: true, solver_p: null }, 'unipc'],
    ['LCMScheduler', { original_inference_steps: 50 }, 'lcm'],
  ])('%s %j draws as itself', (own, more, name) => {
    const folder = { ...pndm, ...more, _class_name: own };
    expect(resolveScheduler(folder, undefined, 'x').name).toBe(name);
    expect(makeSampler(undefined, folder, 12)).not.toHaveProperty('standsFor');
  });

  it("a sampler asked for by name leaves the solver settings of the folder's class behind", () => {
    const deis = { ...pndm, _class_name: 'DEISMultistepScheduler', solver_type: 'logrho', solver_order: 3 };
    const named = (name: 'dpm++2m' | 'unipc') => resolveScheduler(deis, name, 'x').config;
    expect(named('dpm++2m')).toMatchObject({ solver_type: 'midpoint', solver_order: 2 });
    expect(named('unipc')).toMatchObject({ solver_type: 'bh2', solver_order: 3 });
    const sde = { ...pndm, _class_name: 'DPMSolverMultistepScheduler', algorithm_type: 'sde-dpmsolver++' };
    expect(resolveScheduler(sde, 'dpm++2m', 'x').config.algorithm_type).toBe('dpmsolver++');
    expect(() => resolveScheduler({ ...sde, solver_order: 3 }, undefined, 'x')).toThrow('solver_order');
  });

  it.each([
    { ...pndm, prediction_type: 'flow_prediction' },
    { _class_name: 'FlowMatchEulerDiscreteScheduler', num_train_timesteps: 1000, shift: 3 },
    { _class_name: 'EDMEulerScheduler', sigma_min: 0.002, sigma_max: 80, prediction_type: 'epsilon' },
  ])('no sampler is advised where the model was trained in another way: %j', (folder) => {
    for (const read of [
      () => trainingConfig(folder, 'x'),
      () => resolveScheduler(folder, undefined, 'x'),
      () => resolveScheduler(folder, 'ddim', 'x'),
    ])
      expect(codeOf(read)).toMatch(/^scheduler\.prediction(?!.*--scheduler)/);
  });

  it('what a folder does not say of its training is what its class has in diffusers', () => {
    expect(trainingConfig({ _class_name: 'LCMScheduler' }, 'x')).toMatchObject({
      beta_start: 0.00085,
      beta_schedule: 'scaled_linear',
    });
  });

  it('ignores keys that mean nothing to the class', () => {
    const strange = { ...pndm, solver_order: 17, thresholding: true, anything: [] };
    expect(resolveScheduler(strange, 'euler', 'x').name).toBe('euler');
  });

  it.each([
    ['no object', [1], undefined, /^scheduler\.training.*file\.json/],
    ['no class', {}, undefined, /^scheduler\.unknownClass/],
    [
      'a schedule nobody knows',
      { ...pndm, beta_schedule: 'cubic' },
      undefined,
      /^scheduler\.training.*"beta_schedule": "cubic"/,
    ],
    ['text for a number', { ...pndm, beta_start: '0.1' }, undefined, /^scheduler\.training.*beta_start/],
    ['a negative beta', { ...pndm, beta_end: -1 }, undefined, /^scheduler\.training.*beta_end/],
    [
      'an absurd number of timesteps',
      { ...pndm, num_train_timesteps: 1e12 },
      undefined,
      /^scheduler\.training/,
    ],
    ['thresholding', { ...pndm, thresholding: true }, 'ddim' as const, /^scheduler\.invalid.*thresholding/],
  ])('refuses %s', (_, config, name, expected) => {
    expect(codeOf(() => resolveScheduler(config, name, 'file.json'))).toMatch(expected);
  });
});

describe('makeSampler', () => {
  it.each(schedulerNames)('%s refuses numbers of steps it cannot take', (name) => {
    for (const steps of [0, -1, 2.5, NaN, 1001]) {
      expect(codeOf(() => makeSampler(name, pndm, steps))).toMatch(/^scheduler\.steps/);
    }
  });

  it.each(schedulerNames)('%s stays finite from its first to its last step', (name) => {
    for (const steps of name === 'lcm' ? [4, 31, 50] : [4, 31, 999]) {
      const sampler = makeSampler(name, { ...pndm, steps_offset: 1, clip_sample: false }, steps);
      let x: Float32Array = Float32Array.of(0.5, -1.5, 3).map((value) => value * sampler.initNoiseSigma);
      sampler.timesteps.forEach((_, i) => {
        x = sampler.step(sampler.scaleInput(x, i), i, x, () => Float32Array.of(0.1, -0.2, 0.3));
      });
      expect(x.every(Number.isFinite), `${steps} steps`).toBe(true);
    }
  });

  it('leaves the latents it is given as they were', () => {
    for (const name of schedulerNames) {
      const sampler = makeSampler(name, { ...pndm, skip_prk_steps: true }, 5);
      const x = Float32Array.of(1, 2, 3);
      sampler.step(sampler.scaleInput(x, 0), 0, x, () => Float32Array.of(1, 1, 1));
      expect(Array.from(x)).toEqual([1, 2, 3]);
    }
  });
});
