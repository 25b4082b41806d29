import { describe, expect, it } from 'vitest';
import { attentionGradient } from '../../../src-main/engine/autodiff/attentionGradient.ts';
import { input } from '../../../src-main/engine/graph/build.ts';
import { topological } from '../../../src-main/engine/graph/graph.ts';
import type { Node } from '../../../src-main/engine/graph/ops.ts';
import { elementCount } from '../../../src-main/engine/tensor/tensor.ts';
import { opCases } from './opCases.ts';
import { expectClose, golden, goldenInputs } from './opGoldens.ts';
import { runOn } from './runOn.ts';

// Block sizes in scores: one row, odd splits of a head, whole heads, several heads.
describe.each([1, 7, 10, 16, 40, 1000])('attention’s gradient in blocks of %i scores', (blockElements) => {
  it.each(Object.entries(opCases.attention))('%s', async (name, build) => {
    const key = `attention/${name}`;
    const inputs = goldenInputs(key);
    const out = build(...inputs.map(({ shape }, i) => input(`in${i}`, shape))) as Node<'attention'>;
    const [dq, dk, dv] = attentionGradient(out, input('cotangent', out.shape), blockElements);
    if (!dq || !dk || !dv) throw new Error('three gradients expected');
    const sources = out.inputs[1]?.shape[1] as number;
    const scores = topological([dq, dk, dv]).filter(({ op }) => op === 'softmax');
    // Heads are cut into equal blocks of rows, so one may be a row larger.
    for (const { shape } of scores) expect(elementCount(shape)).toBeLessThanOrEqual(blockElements + sources);
    const feeds = {
      ...Object.fromEntries(inputs.map((tensor, i) => [`in${i}`, tensor])),
      cotangent: golden(`${key}/cotangent`),
    };
    const results = await runOn('cpu', { grad0: dq, grad1: dk, grad2: dv }, feeds);
    for (const i of [0, 1, 2]) expectClose(results[`grad${i}`], golden(`${key}/grad${i}`), 5e-6);
  });
});
