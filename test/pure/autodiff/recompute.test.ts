import { describe, expect, it } from 'vitest';
import { backward } from '../../../src-main/engine/autodiff/backward.ts';
import { blocks, cheap, recompute } from '../../../src-main/engine/autodiff/recompute.ts';
import { input, mul, parameter, silu, sum } from '../../../src-main/engine/graph/build.ts';
import { topological } from '../../../src-main/engine/graph/graph.ts';
import type { Op, Value } from '../../../src-main/engine/graph/ops.ts';
import { print } from '../../../src-main/engine/graph/print.ts';
import { verify } from '../../../src-main/engine/graph/verify.ts';
import { convStack } from './convStack.ts';
import { peakBytes } from './liveBytes.ts';

const count = (outputs: Readonly<Record<string, Value>>, op: Op): number =>
  topological(Object.values(outputs)).filter((value) => value.op === op).length;

describe('recompute', () => {
  it('clones behind a barrier and leaves what is before the loss', () => {
    const [x, w] = [input('x', [2]), parameter('w', [2])];
    const loss = sum(mul(silu(x), w));
    const [gradient] = backward(loss, [w]) as [Value];
    expect(print({ outputs: recompute({ loss, gradient }, loss, cheap) })).toMatchInlineSnapshot(`
      "%0: f32[2] = input name=x
      %1: f32[2] = parameter name=w
      %2: f32[2] = swish %0 alpha=1
      %3: f32[2] = mul %2 %1
      %4: f32[] = sum %3 axes=0 keepDims=false
      %5: f32[] = constant {1}
      %6: f32[1] = reshape %5 shape=1
      %7: f32[2] = expand %6 shape=2
      %8: f32[2] = barrier %0 %4
      %9: f32[2] = swish %8 alpha=1
      %10: f32[2] = mul %7 %9
      return loss=%4 gradient=%10"
    `);
  });

  it('changes nothing where nothing may be recomputed', () => {
    const { loss, outputs } = convStack();
    const same = recompute(outputs, loss, () => false);
    const computed = (of: Record<string, Value>): string[] =>
      topological(Object.values(of)).flatMap(({ op, inputs, shape }) =>
        inputs.length ? `${op} [${shape.join()}]` : [],
      );
    expect(computed(same)).toEqual(computed(outputs));
  });

  it('never recomputes the loss, outputs, or leaves', () => {
    const { loss, ends, outputs } = convStack();
    const middle = ends[1] as Value;
    const changed: Record<string, Value> = recompute({ ...outputs, middle }, loss, () => true);
    expect(changed['loss']).toBe(loss);
    expect(changed['middle']).toBe(middle);
    verify({ outputs: changed });
  });

  it('computes each block once more, and no convolution for the cheap policy', () => {
    const { loss, ends, outputs } = convStack({ blocks: 3 });
    expect(count(outputs, 'conv2d')).toBe(7);
    expect(count(recompute(outputs, loss, cheap), 'conv2d')).toBe(7);
    expect(count(recompute(outputs, loss, cheap), 'groupNorm')).toBe(12);
    const byBlock = recompute(outputs, loss, blocks(ends));
    // The second convolution of a block is needed by no gradient.
    expect(count(byBlock, 'conv2d')).toBe(10);
    expect(count(byBlock, 'swish')).toBe(12);
    verify({ outputs: byBlock });
  });

  it('keeps less alive the more is recomputed', () => {
    const { loss, ends, outputs } = convStack({ blocks: 12 });
    const all = peakBytes(outputs);
    const withCheap = peakBytes(recompute(outputs, loss, cheap));
    const withBlocks = peakBytes(recompute(outputs, loss, blocks(ends)));
    expect(withCheap).toBeLessThan(0.6 * all);
    expect(withBlocks).toBeLessThan(0.4 * all);
  });
});
