import { expect, it } from 'vitest';
import { noiseSchedule } from '../../../src-main/engine/schedulers/noiseSchedule.ts';
import { noiseTables } from '../../../src-main/features/export/coreml/appleNoise.ts';

const usual = {
  ...{ _class_name: 'PNDMScheduler', num_train_timesteps: 1000 },
  ...{ beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear' },
};
const tables = (scheduler: Record<string, unknown>) => noiseTables({ scheduler, path: 'model' });
const usualBars = noiseSchedule(usual, '').alphaBars;

it("does nothing for Stable Diffusion's own schedule and noise", () => {
  expect(tables(usual)).toEqual({});
  expect(tables({ ...usual, _class_name: 'EulerDiscreteScheduler' })).toEqual({});
});

it('turns velocity and pictures into the noise that they tell of', () => {
  const [t, picture, noise] = [300, 0.4, -1.1];
  const bar = usualBars[t] as number;
  const [ofPicture, ofNoise] = [Math.sqrt(bar), Math.sqrt(1 - bar)];
  const sample = ofPicture * picture + ofNoise * noise;
  const outputs = { v_prediction: ofPicture * noise - ofNoise * picture, sample: picture };
  for (const [prediction_type, output] of Object.entries(outputs)) {
    const { timesteps, asNoise } = tables({ ...usual, prediction_type });
    expect(timesteps).toBeUndefined();
    const [a, b] = [asNoise?.ofOutput[t] as number, asNoise?.ofSample[t] as number];
    expect(a * output + b * sample).toBeCloseTo(noise, 4);
  }
});

it.each([
  ['ends in noise alone', { rescale_betas_zero_snr: true }],
  ['is linear', { beta_schedule: 'linear', beta_start: 0.0001, beta_end: 0.02 }],
  ['is short', { num_train_timesteps: 100, beta_start: 0.0085, beta_end: 0.12 }],
])('finds the timestep with the same noise in a schedule that %s', (_, changes) => {
  const scheduler = { ...usual, _class_name: 'DDIMScheduler', ...changes };
  const { alphaBars } = noiseSchedule(scheduler, '');
  const { timesteps } = tables(scheduler);
  expect(timesteps).toHaveLength(1000);
  const inside = usualBars.findIndex((bar) => bar < (alphaBars[0] as number));
  for (const t of [inside + 1, 250, 500, 750, 900]) {
    const own = timesteps?.[t] as number;
    expect(alphaBars[Math.floor(own)]).toBeGreaterThanOrEqual(usualBars[t] as number);
    expect(alphaBars[Math.ceil(own)]).toBeLessThanOrEqual(usualBars[t] as number);
  }
  // Never outside of what the model knows.
  timesteps?.forEach((step) => {
    expect(step).toBeGreaterThanOrEqual(0);
    expect(step).toBeLessThanOrEqual(alphaBars.length - 1);
  });
});
