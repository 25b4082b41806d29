import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  resolveScheduler,
  schedulerNames,
  type SchedulerName,
} from '../../../src-main/engine/schedulers/config.ts';
import { makeSampler } from '../../../src-main/engine/schedulers/index.ts';
import { alphasCumprod } from '../../../src-main/engine/schedulers/noiseSchedule.ts';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';

interface Summary {
  norm: number;
  max: number;
  values: number[];
}
interface Trajectory {
  config: Record<string, unknown>;
  name: SchedulerName | null;
  steps: number;
  timesteps: number[];
  initNoiseSigma: number;
  middle: Summary;
  final: Summary;
}
interface Schedule {
  config: Record<string, unknown>;
  bits: number[];
}
interface Fixture {
  trajectories: Trajectory[];
  timestepSums: Record<string, number>;
}
const fixture = (file: string): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/schedulers/${file}`, import.meta.url), 'utf8'));
const golden = fixture('schedulers.json') as Fixture & { schedules: Schedule[] };
const solvers = fixture('solvers.json') as Fixture;
const timestepSums = { ...golden.timestepSums, ...solvers.timestepSums };

/** The toy model of test/golden/reference/schedulers.py. */
const toyModel = (x: Float32Array, t: number) =>
  x.map((value) => Math.sin(value) * 0.8 + value * 0.3 + t / 5000);

function error(x: Float32Array, expected: Summary): number {
  const worst = expected.values.map((value, i) => Math.abs((x[i * 37] as number) - value));
  return Math.max(...worst, Math.abs(Math.hypot(...x) - expected.norm) / 16) / expected.max;
}

const sd1 = golden.trajectories[0]?.config ?? {};

describe('trajectories against diffusers', () => {
  const title = ({ config, name, steps }: Trajectory) => {
    const changed = Object.entries(config).filter(([key, value]) => sd1[key] !== value && value !== null);
    const missing = Object.keys(sd1).filter((key) => !(key in config));
    const options = changed.map(([key, value]) => (Array.isArray(value) ? key : `${key}=${String(value)}`));
    return `${name ?? 'own'} ${steps} ${[...options, ...missing.map((key) => `no ${key}`)].join(' ')}`;
  };
  it.each([...golden.trajectories, ...solvers.trajectories].map((entry) => [title(entry), entry] as const))(
    '%s',
    (_, entry) => {
      const sampler = makeSampler(entry.name ?? undefined, entry.config, entry.steps);
      expect(sampler.timesteps.length).toBe(entry.timesteps.length);
      sampler.timesteps.forEach((t, i) => expect(t).toBeCloseTo(entry.timesteps[i] as number, 2));
      expect(Math.abs(sampler.initNoiseSigma / entry.initNoiseSigma - 1)).toBeLessThan(1e-6);

      const generator = new TorchGenerator(42);
      const noise = () => generator.randn([1, 4, 8, 8]);
      let x: Float32Array = noise().map((value) => value * sampler.initNoiseSigma);
      for (const [i, t] of sampler.timesteps.entries()) {
        x = sampler.step(toyModel(sampler.scaleInput(x, i), t), i, x, noise);
        if (i === Math.floor(sampler.timesteps.length / 2)) expect(error(x, entry.middle)).toBeLessThan(1e-5);
      }
      expect(error(x, entry.final)).toBeLessThan(1e-5);
    },
  );
});

describe('timesteps for every number of steps', () => {
  const spacings = ['leading', 'linspace', 'trailing'];
  it.each(schedulerNames.flatMap((name) => spacings.map((spacing) => [name, spacing] as const)))(
    '%s %s',
    (name, spacing) => {
      const all = [...Array.from({ length: 58 }, (_, i) => i + 2), 99, 100, 333];
      // Consistency models take at most the 50 steps that they were distilled on.
      for (const steps of all.filter((count) => name !== 'lcm' || count <= 50)) {
        const { timesteps } = makeSampler(name, { ...sd1, timestep_spacing: spacing }, steps);
        const sum = timesteps.reduce((total, t, i) => total + (i + 1) * t, 0);
        expect(sum, `${steps} steps`).toBeCloseTo(timestepSums[`${name} ${spacing} ${steps}`] as number, 0);
      }
    },
  );
});

describe('noise schedules', () => {
  // The rescaled schedules take square roots, of which torch's vector library rounds a few the other way.
  const ulps = (config: Schedule['config']) => (config['rescale_betas_zero_snr'] ? 2 : 0);
  it.each(golden.schedules.map((entry, i) => [i, entry] as const))(
    'schedule %i has the same bits',
    (_, entry) => {
      const { config } = resolveScheduler(
        { ...entry.config, _class_name: 'DDIMScheduler' },
        undefined,
        'test',
      );
      const alphas = alphasCumprod(config);
      const stride = Math.max(1, Math.floor(alphas.length / 100));
      const bits = new Uint32Array(alphas.buffer).filter((_, i) => i % stride === 0);
      bits.forEach((word, i) =>
        expect(Math.abs(word - (entry.bits[i] as number))).toBeLessThanOrEqual(ulps(entry.config)),
      );
    },
  );
});
