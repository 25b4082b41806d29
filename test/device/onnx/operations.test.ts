import { describe, expect, it } from 'vitest';
import { input } from '../../../src-main/engine/graph/build.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import type { HostTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { allCases } from '../../golden/gradients/opCases.ts';
import { expectClose, golden, goldenCases, goldenInputs } from '../../golden/gradients/opGoldens.ts';
import { runOn } from '../../golden/gradients/runOn.ts';

const leaf = ({ shape, dtype }: HostTensor, index: number): Value => input(`in${index}`, shape, dtype);

describe('every operation, lowered and executed, gives torch’s numbers', () => {
  it('has the cases that torch computed', () => {
    expect(allCases.map(([name]) => name).sort()).toEqual([...goldenCases].sort());
  });

  describe.each(['cpu', 'webgpu', 'device', 'portable'] as const)('for %s', (target) => {
    it.each(allCases)('%s', async (name, op, build) => {
      const inputs = goldenInputs(name);
      const out = build(...inputs.map(leaf));
      // `detach` is the only one whose case is built around it: its own gradient says nothing.
      expect([out.op, ...out.inputs.map((one) => one.op)]).toContain(op);
      const feeds = Object.fromEntries(inputs.map((tensor, i) => [`in${i}`, tensor]));
      const result = (await runOn(target, { out }, feeds)).out;
      expect(result?.dtype).toBe(out.dtype);
      expectClose(result, golden(`${name}/out`), 2e-6);
    });
  });
});
