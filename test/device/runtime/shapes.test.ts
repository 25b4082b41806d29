import { beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../../src-main/features/gpuCheck/findings.ts';
import { vulkanDrivers } from '../vulkanDrivers.ts';
import { inChild } from './childProcess.ts';

interface Found {
  readonly findings: Finding[];
  /** The verdict on f16. */
  readonly half: string;
}

const steps = ['LoRA step', 'Full step', 'Distillation step'];
const expected = {
  networks: ['U-Net', 'Text encoder', 'VAE decoder', 'VAE encoder'],
  f32: steps.flatMap((step) => [`${step}: loss`, `${step}: gradients`]),
  f16: steps.map((step) => `Losses of 50 ${step}s, f16`),
} as const;

// SwiftShader takes ten minutes for these; docs/gpu.md has what they gave there.
describe.each(vulkanDrivers.filter(({ name }) => name !== 'SwiftShader'))(
  'the shapes of Stable Diffusion on $name, a tenth as wide',
  ({ env, missing }) => {
    beforeEach(({ skip }) => {
      if (missing !== undefined) skip(missing);
    });

    it.each([
      ['sd1', 'networks'],
      ['sd2', 'networks'],
      ['sd1', 'f32'],
      ['sd2', 'f32'],
      ['sd1', 'f16'],
    ] as const)(
      'give the CPU’s numbers at 16² latents (%s, %s)',
      async (shape, what) => {
        const { findings, half } = await inChild<Found>('webgpuShapes.ts', [shape, '16', what], env);
        // lavapipe has no f16 where the processor converts none.
        if (what === 'f16' && half !== 'right') return expect(findings).toEqual([]);
        expect(findings.map((one) => one.what)).toEqual(expected[what]);
        for (const { what: name, found, right } of findings)
          expect([name, found, right]).toEqual([name, found, true]);
      },
      900_000,
    );
  },
);
