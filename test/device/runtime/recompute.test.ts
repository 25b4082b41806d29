import { expect, it } from 'vitest';
import { inChild } from './childProcess.ts';

interface Measured {
  readonly peakBytes: number;
  readonly baseBytes: number;
  readonly digest: string;
  readonly loss: number;
}

it('recomputation gives the same bits in less memory', async () => {
  const measure = async (policy: string): Promise<Measured> => inChild('convStackPeak.ts', [policy]);
  const [none, cheap, blocks] = [await measure('none'), await measure('cheap'), await measure('blocks')];
  expect(none.loss).toBeGreaterThan(0.1);
  expect([cheap.digest, blocks.digest]).toEqual([none.digest, none.digest]);
  const used = ({ peakBytes, baseBytes }: Measured): number => peakBytes - baseBytes;
  // 377, 198 and 166 MB when written.
  expect(used(cheap) / used(none)).toBeLessThan(0.7);
  expect(used(blocks) / used(none)).toBeLessThan(0.6);
}, 180_000);
