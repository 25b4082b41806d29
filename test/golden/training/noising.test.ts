import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { noiseSchedule } from '../../../src-main/engine/schedulers/noiseSchedule.ts';
import { predictedNoise, predictedX0 } from '../../../src-main/engine/schedulers/prediction.ts';
import { f32, i64 } from '../../../src-main/engine/tensor/tensor.ts';
import { noised, noiseFeeds } from '../../../src-main/engine/training/loss/noising.ts';

interface Schedule {
  readonly config: Record<string, unknown>;
  readonly t: number;
  readonly addNoise: readonly number[];
  readonly velocity: readonly number[];
}
const { schedules } = JSON.parse(
  readFileSync(new URL('../fixtures/schedulers/schedulers.json', import.meta.url), 'utf8'),
) as { readonly schedules: readonly Schedule[] };

const ramp = (from: number, to: number): Float32Array =>
  Float32Array.from({ length: 6 }, (_, i) => from + ((to - from) * i) / 5);
const [picture, noise] = [ramp(-2, 2), ramp(1, -3)];
const size = [1, 2, 3] as const;

/** What the graph that is trained makes of the picture and the noise. */
async function run({ config, t }: Schedule, prediction: string) {
  const schedule = noiseSchedule(
    { ...config, _class_name: 'DDIMScheduler', prediction_type: prediction },
    'test',
  );
  const { sample, target } = noised(1, size);
  const session = await Session.compile({ outputs: { sample, target } }, { provider: 'cpu' });
  const batch = {
    latents: f32([1, ...size], picture),
    noise: f32([1, ...size], noise),
    timesteps: i64([1], [t]),
  };
  const { timesteps: _, ...feeds } = noiseFeeds(batch, schedule);
  const results = await session.runHost(feeds);
  await session.dispose();
  const of = (name: string) => results[name]?.data as Float32Array;
  return { sample: of('sample'), target: of('target'), alphaBar: schedule.alphaBars[t] as number };
}

const near = (got: Float32Array, expected: ArrayLike<number>) =>
  got.forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 5));

describe.each(schedules.map((entry, i) => [i, entry] as const))('schedule %i', (_, entry) => {
  it("is noised as diffusers' add_noise does, and the velocity is its get_velocity", async () => {
    const { sample, target } = await run(entry, 'v_prediction');
    near(sample, entry.addNoise);
    near(target, entry.velocity);
  });

  it.each(['epsilon', 'sample', 'v_prediction'] as const)(
    'samplers read from a perfect prediction of type %s what training was given',
    async (prediction) => {
      const { sample, target, alphaBar } = await run(entry, prediction);
      const at = [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)] as const;
      // Where nothing is left of the picture, its noise does not tell it.
      if (alphaBar > 1e-3 || prediction !== 'epsilon')
        near(predictedX0(prediction, target, sample, ...at), picture);
      if (alphaBar < 1 - 1e-3 || prediction !== 'sample')
        near(predictedNoise(prediction, target, sample, ...at), noise);
    },
  );
});

it('the target is the noise or the picture to the bit', async () => {
  const [entry] = schedules;
  if (!entry) throw new Error('no schedule was recorded');
  expect((await run(entry, 'epsilon')).target).toEqual(noise);
  expect((await run(entry, 'sample')).target).toEqual(picture);
});
