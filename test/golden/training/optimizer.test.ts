import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { FlatParameters } from '../../../src-main/engine/optim/flatParameters.ts';
import {
  accumulator,
  movingAverage,
  Optimizer,
  type ParameterOptimizer,
} from '../../../src-main/engine/optim/optimizer.ts';
import { adafactor } from '../../../src-main/engine/optim/adafactor.ts';
import { adamW8bit } from '../../../src-main/engine/optim/adamW8bit.ts';
import { PerTensorOptimizer } from '../../../src-main/engine/optim/perTensor.ts';
import { prodigy } from '../../../src-main/engine/optim/prodigy.ts';
import { adamW } from '../../../src-main/engine/optim/transforms.ts';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';
import { RunFolder } from '../../../src-main/engine/training/run/runFolder.ts';

// The numbers of make_optimizer_goldens.py.
const shapes = { a: [131, 150], b: [9], c: [3, 5, 3, 3], d: [13000] } as const;
const names = Object.keys(shapes) as (keyof typeof shapes)[];
const step = { learningRate: 3e-3, maxGradientNorm: 1 };
const adam = { beta1: 0.9, beta2: 0.99, epsilon: 1e-7, weightDecay: 0.1 };
const layout = new FlatParameters(Object.entries(shapes));

const goldenOf = (file: string): ((name: string) => Float32Array) => {
  const { tensors } = readSafetensors(`${import.meta.dirname}/../fixtures/optim/${file}.safetensors`);
  return (name) => {
    const entry = tensors.get(name);
    if (!entry) throw new Error(`no golden ${name}`);
    return Float32Array.from(readTensor(entry).data, Number);
  };
};
const golden = goldenOf('adamw');

function random(seed: number, scale = 1): Float32Array {
  const array = layout.allocate();
  for (const name of names) {
    const draw = new TorchGenerator(100 * seed + name.charCodeAt(0)).randn(shapes[name]);
    layout.view(array, name).data.set(draw.map((value) => value * scale));
  }
  return array;
}

const gradients = (k: number): Float32Array => random(k, 0.002 * k);

/** Steps `from` to `to`, counted from 1; returns the norms. */
async function run(optimizer: ParameterOptimizer, from: number, to: number): Promise<number[]> {
  const norms: number[] = [];
  for (let k = from; k <= to; k++) norms.push(await optimizer.step(gradients(k), step));
  return norms;
}

/** Largest difference over the largest value. */
function error(ours: Float32Array, wanted: Float32Array): number {
  expect(ours.length).toBe(wanted.length);
  const most = (data: Float32Array): number => data.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return most(ours.map((value, i) => value - (wanted[i] as number))) / most(wanted);
}

describe('AdamW behind clipping by the global norm', () => {
  it('ends ten steps where torch does, over chunk boundaries', async () => {
    const values = random(0);
    const optimizer = new Optimizer(values, adamW(adam), { atOnce: 1 << 14 });
    const norms = await run(optimizer, 1, 10);
    expect(error(Float32Array.from(norms), golden('norms'))).toBeLessThan(1e-5);
    const start = random(0);
    for (const name of names) {
      const moved = (data: Float32Array): Float32Array => {
        const from = layout.view(start, name).data;
        return data.map((value, i) => value - (from[i] as number));
      };
      expect(error(moved(layout.view(values, name).data), moved(golden(name)))).toBeLessThan(1e-4);
    }
    for (const slot of ['m', 'v'])
      for (const name of ['b', 'c'])
        expect(
          error(layout.view(optimizer.slots[slot] as Float32Array, name).data, golden(`${slot}.${name}`)),
        ).toBeLessThan(1e-5);
  });

  it('goes on from a saved state to the same bits', async () => {
    const values = random(0);
    const whole = new Optimizer(values, adamW(adam), { atOnce: 1 << 14 });
    await run(whole, 1, 4);
    const folder = new RunFolder(mkdtempSync(join(tmpdir(), 'likeness-state-')));
    folder.saveState(4, { values, ...whole.slots });
    await run(whole, 5, 6);

    const restored = layout.allocate();
    const second = new Optimizer(restored, adamW(adam), { atOnce: 1 << 14 });
    second.steps = folder.restoreState({ values: restored, ...second.slots });
    expect(second.steps).toBe(4);
    await run(second, 5, 6);
    expect(restored).toEqual(values);
    expect(second.slots).toEqual(whole.slots);
  });

  it('leaves gradients below the norm alone, and all without a limit', async () => {
    const update = async (limit?: number): Promise<Float32Array> => {
      const values = random(0);
      const optimizer = new Optimizer(values, adamW(adam), { atOnce: 1 << 14 });
      const settings =
        limit === undefined ? { learningRate: 1 } : { learningRate: 1, maxGradientNorm: limit };
      await optimizer.step(gradients(5), settings);
      return optimizer.slots['m'] as Float32Array;
    };
    const free = await update();
    expect(await update(1e6)).toEqual(free);
    expect(
      error(
        await update(0.5),
        free.map((value) => (value * 0.5) / (0.01 * Math.sqrt(32793))),
      ),
    ).toBeLessThan(0.02);
  });
});

describe('Prodigy', () => {
  const settings = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, stepScale: 2 };
  const expected = goldenOf('prodigy');

  /** Step `k` of make_optimizer_goldens.py: gradients follow the parameters, after a warm-up from rate 0. */
  async function take(optimizer: Optimizer, values: Float32Array, k: number): Promise<void> {
    const noise = random(k, 1e-4);
    const gradients = values.map((value, i) => value * 0.1 + (noise[i] as number));
    await optimizer.step(gradients, { learningRate: Math.min(1, (k - 1) / 3), maxGradientNorm: 1 });
  }

  it('finds the step sizes of prodigyopt and ends where it does', async () => {
    const values = random(0, 1e-2);
    const optimizer = new Optimizer(values, prodigy(settings), { atOnce: 1 << 14 });
    const sizes: number[] = [];
    for (let k = 1; k <= 20; k++) {
      await take(optimizer, values, k);
      sizes.push(optimizer.state['learnt']?.[0] ?? NaN);
    }
    const wanted = expected('sizes');
    sizes.forEach((size, k) => expect(Math.abs(size / (wanted[k] ?? NaN) - 1)).toBeLessThan(2e-3));
    const start = random(0, 1e-2);
    for (const name of names) {
      const from = layout.view(start, name).data;
      const moved = (data: Float32Array): Float32Array => data.map((value, i) => value - (from[i] ?? NaN));
      expect(error(moved(layout.view(values, name).data), moved(expected(name)))).toBeLessThan(5e-3);
    }
  });

  it('goes on from a saved state to the same bits', async () => {
    const values = random(0, 1e-2);
    const whole = new Optimizer(values, prodigy(settings));
    for (let k = 1; k <= 8; k++) await take(whole, values, k);
    const folder = new RunFolder(mkdtempSync(join(tmpdir(), 'likeness-state-')));
    folder.saveState(8, { values, ...whole.state });
    for (let k = 9; k <= 12; k++) await take(whole, values, k);

    const restored = layout.allocate();
    const second = new Optimizer(restored, prodigy(settings));
    second.steps = folder.restoreState({ values: restored, ...second.state });
    for (let k = 9; k <= 12; k++) await take(second, restored, k);
    expect(restored).toEqual(values);
    expect(second.state).toEqual(whole.state);
  });
});

describe.each([
  { name: 'adafactor', rule: () => adafactor({ weightDecay: 0.1 }), limit: 1e-4 },
  // A moment that lies between two codes may fall to the other.
  { name: 'adamw8bit', rule: () => adamW8bit(adam), limit: 5e-3 },
])('$name', ({ name, rule, limit }) => {
  it('ends twenty steps where the reference does', async () => {
    const values = random(0);
    await run(new PerTensorOptimizer(values, layout, rule()), 1, 20);
    const expected = goldenOf(name);
    const start = random(0);
    for (const tensor of names) {
      const from = layout.view(start, tensor).data;
      const moved = (data: Float32Array): Float32Array => data.map((value, i) => value - (from[i] ?? NaN));
      const [ours, theirs] = [moved(layout.view(values, tensor).data), moved(expected(tensor))];
      const size = (data: Float32Array): number => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0));
      expect(size(ours.map((x, i) => x - (theirs[i] ?? NaN))) / size(theirs)).toBeLessThan(limit);
    }
  });

  it('goes on from a saved state to the same bits', async () => {
    const values = random(0);
    const whole = new PerTensorOptimizer(values, layout, rule());
    await run(whole, 1, 3);
    const folder = new RunFolder(mkdtempSync(join(tmpdir(), 'likeness-state-')));
    folder.saveState(3, { values, ...whole.state });
    await run(whole, 4, 6);
    const restored = layout.allocate();
    const second = new PerTensorOptimizer(restored, layout, rule());
    second.steps = folder.restoreState({ values: restored, ...second.state });
    await run(second, 4, 6);
    expect(restored).toEqual(values);
    expect(second.state).toEqual(whole.state);
  });
});

it('parts of the parameters learn at rates of their own', async () => {
  const rateOf = (name: string): number => (name < 'c' ? 1 : 0.25);
  const parts = layout.split(rateOf);
  expect(parts.map(({ rate }) => rate)).toEqual([1, 0.25]);
  const [both, fast, slow] = [random(0), random(0), random(0)];
  const learningRate = 1e-2;
  await new Optimizer(both, adamW(adam), { parts }).step(gradients(1), { learningRate });
  await new Optimizer(fast, adamW(adam)).step(gradients(1), { learningRate });
  await new Optimizer(slow, adamW(adam)).step(gradients(1), { learningRate: learningRate / 4 });
  for (const name of names)
    expect(layout.view(both, name)).toEqual(layout.view(name < 'c' ? fast : slow, name));
});

it('sums and averages run over chunk boundaries in place', async () => {
  const [one, two] = [random(1), random(2)];
  const total = one.slice();
  await accumulator()(total, two);
  expect(total).toEqual(one.map((value, i) => Math.fround(value + (two[i] as number))));

  const average = one.slice();
  const follow = movingAverage();
  for (const current of [two, total]) await follow(average, current, 0.9);
  const wanted = [two, total].reduce(
    (known, current) => known.map((value, i) => 0.9 * value + 0.1 * (current[i] as number)),
    one,
  );
  expect(error(average, wanted)).toBeLessThan(1e-6);
});
