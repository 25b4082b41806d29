import { describe, expect, it } from 'vitest';
import { backward } from '../../../src-main/engine/autodiff/backward.ts';
import { add, input, mul, square, sum } from '../../../src-main/engine/graph/build.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import type { HostTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { allCases, type Build } from './opCases.ts';
import { expectClose, golden, goldenInputs, goldensOf } from './opGoldens.ts';
import { compileFor, runOn, type Feeds } from './runOn.ts';

/** A case with the scalar f = Σ out·cotangent, and df/d each input that torch has a gradient for. */
function differentiated(name: string, build: Build) {
  const tensors = goldenInputs(name);
  const made = tensors.map(({ shape, dtype }, i) => input(`in${i}`, shape, dtype));
  const out = build(...made);
  // The case of `parameter` makes a leaf of its own.
  const inputs = out.op === 'parameter' ? [out] : made;
  const cotangent = input('cotangent', out.shape);
  const smooth = [...goldensOf(name, 'grad').keys()];
  const gradients = backward(
    sum(mul(out, cotangent)),
    smooth.map((i) => inputs[i] as Value),
  );
  const feeds: Feeds = {
    ...Object.fromEntries(tensors.map((tensor, i) => [`in${i}`, tensor])),
    cotangent: golden(`${name}/cotangent`),
  };
  return { inputs, out, smooth, gradients, feeds };
}

const named = (prefix: string, indices: readonly number[], values: readonly Value[]): Record<string, Value> =>
  Object.fromEntries(values.map((value, i) => [`${prefix}${indices[i]}`, value]));

const smoothCases = allCases.filter(([name]) => goldensOf(name, 'grad').size > 0);
// Attention's gradient is one fused operation, which nobody differentiates again.
const twiceCases = allCases.filter(
  ([name]) => goldensOf(name, 'second').size > 0 && !name.startsWith('attention/'),
);

describe.each(['cpu', 'device', 'portable'] as const)('gradients against torch, for %s', (target) => {
  it.each(smoothCases)('%s', async (name, _, build) => {
    const { smooth, gradients, feeds } = differentiated(name, build);
    const results = await runOn(target, named('grad', smooth, gradients), feeds);
    for (const [i, expected] of goldensOf(name, 'grad')) expectClose(results[`grad${i}`], expected, 5e-6);
  });

  it.each(twiceCases)('%s, twice', async (name, _, build) => {
    const { inputs, gradients, feeds } = differentiated(name, build);
    const expected = goldensOf(name, 'second');
    const energy = mul(
      gradients.map((gradient) => sum(square(gradient))).reduce((a, b) => add(a, b)),
      0.5,
    );
    const seconds = backward(
      energy,
      [...expected.keys()].map((i) => inputs[i] as Value),
    );
    const results = await runOn(target, named('second', [...expected.keys()], seconds), feeds);
    for (const [i, tensor] of expected) expectClose(results[`second${i}`], tensor, 2e-5);
  });
});

/** Where the result jumps or the slope does, where float16 rounds, or where a gradient is held back, differences say nothing. */
const jagged = new Set(['max/ties', 'cast/throughHalf', 'detach/partly']);

describe('gradients against finite differences', () => {
  it.each(smoothCases.filter(([name]) => !jagged.has(name)))('%s', async (name, _, build) => {
    const { out, smooth, gradients, feeds } = differentiated(name, build);
    const forward = await compileFor('cpu', { out });
    const results = await runOn('cpu', named('grad', smooth, gradients), feeds);
    const cotangent = golden(`${name}/cotangent`);
    for (const i of smooth) {
      const at = feeds[`in${i}`] as HostTensor<'f32'>;
      const direction = at.data.map((_, k) => Math.sin(12.9898 * (k + 1) + i));
      const along = async (step: number): Promise<number> => {
        const data = at.data.map((value, k) => value + step * (direction[k] as number));
        return dot((await forward({ ...feeds, [`in${i}`]: { ...at, data } })).out, cotangent);
      };
      const h = 0.02;
      // Fourth order: error h⁴·f⁽⁵⁾/30, with f32's rounding of about 1e-6/h.
      const slope =
        (8 * ((await along(h)) - (await along(-h))) - ((await along(2 * h)) - (await along(-2 * h)))) /
        (12 * h);
      const gradient = results[`grad${i}`];
      const size = Math.sqrt(
        dot(gradient, gradient) * direction.reduce((total, value) => total + value * value, 0),
      );
      expect(Math.abs(dot(gradient, { ...at, data: direction }) - slope)).toBeLessThan(
        1e-3 * Math.max(1, size),
      );
    }
  });
});

/** Σ a·b in double precision. */
function dot(a: HostTensor | undefined, b: HostTensor | undefined): number {
  if (!a || !b) throw new Error('no such output');
  expect(a.shape).toEqual(b.shape);
  return Array.from(a.data, Number).reduce((total, value, i) => total + value * Number(b.data[i]), 0);
}
