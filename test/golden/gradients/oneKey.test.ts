import { expect, it } from 'vitest';
import { backward } from '../../../src-main/engine/autodiff/backward.ts';
import { attention, input, meanSquaredError } from '../../../src-main/engine/graph/build.ts';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';
import type { HostTensor, Shape } from '../../../src-main/engine/tensor/tensor.ts';
import { runOn } from './runOn.ts';

const magnitudes = (tensor: HostTensor | undefined): number[] =>
  Array.from((tensor as HostTensor<'f32'>).data, Math.abs);

it('attention over one key has exactly no gradient in its queries and keys', async () => {
  const shapes: Record<string, Shape> = { q: [2, 3, 8], k: [2, 1, 8], v: [2, 1, 8], wanted: [2, 3, 8] };
  const [q, k, v, wanted] = Object.entries(shapes).map(([name, shape]) => input(name, shape));
  if (!q || !k || !v || !wanted) throw new Error('four inputs were made');
  const out = attention(q, k, v, { heads: 2, scale: 0.5, causal: false });
  const [dq, dk, dv] = backward(meanSquaredError(out, wanted), [q, k, v]);
  if (!dq || !dk || !dv) throw new Error('three gradients were asked for');

  const generator = new TorchGenerator(3);
  const feeds = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]): [string, HostTensor] => [
      name,
      { dtype: 'f32', shape, data: generator.randn(shape) },
    ]),
  );
  const found = await runOn('cpu', { dq, dk, dv }, feeds);
  expect(magnitudes(found['dq'])).toEqual(Array(48).fill(0));
  expect(magnitudes(found['dk'])).toEqual(Array(16).fill(0));
  const [values, targets] = [feeds['v']?.data, feeds['wanted']?.data];
  found['dv']?.data.forEach((gradient, i) => {
    const [picture, column] = [Math.floor(i / 8), i % 8];
    const rows = [0, 1, 2].map((row) => Number(targets?.[(picture * 3 + row) * 8 + column]));
    const exact = rows.reduce((sum, row) => sum + (2 * (Number(values?.[i]) - row)) / 48, 0);
    expect(gradient).toBeCloseTo(exact, 6);
  });
});
