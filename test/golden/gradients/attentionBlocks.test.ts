import { describe, expect, it } from 'vitest';
import { input } from '../../../src-main/engine/graph/build.ts';
import { attentionGradients } from './opCases.ts';
import { expectClose, golden, goldenInputs } from './opGoldens.ts';
import { runOn } from './runOn.ts';

// In scores: one row, parts of a head, whole heads, several heads, everything.
describe.each([1, 5, 7, 16, 40])('attention’s gradient in blocks of about %i scores', (block) => {
  describe.each(['cpu', 'webgpu', 'device'] as const)('for %s', (target) => {
    it.each(Object.entries(attentionGradients(block)))('%s', async (name, build) => {
      const key = `attentionGradient/${name}`;
      const inputs = goldenInputs(key);
      const out = build(...inputs.map(({ shape }, i) => input(`in${i}`, shape)));
      expect(out.op).toBe('attentionGradient');
      const feeds = Object.fromEntries(inputs.map((tensor, i) => [`in${i}`, tensor]));
      expectClose((await runOn(target, { out }, feeds)).out, golden(`${key}/out`), 5e-6);
    });
  });
});
