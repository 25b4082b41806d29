import { beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../../src-main/features/gpuCheck/findings.ts';
import { vulkanDrivers } from '../vulkanDrivers.ts';
import { inChild } from './childProcess.ts';

const steps = ['LoRA step', 'Full step', 'Distillation step', 'Few-step distillation step'];
const expected = {
  networks: ['U-Net', 'Text encoder', 'VAE decoder', 'VAE encoder'],
  steps: steps.flatMap((step) => [`${step}: loss`, `${step}: gradients`]),
} as const;

// SwiftShader would take ten minutes and more for these, and lavapipe minutes for all of them: docs/gpu.md has what it found.
describe.each(vulkanDrivers.filter(({ name }) => name !== 'SwiftShader'))(
  'the shapes of Stable Diffusion on $name, a tenth as wide',
  ({ env, missing }) => {
    beforeEach(({ skip }) => {
      if (missing !== undefined) skip(missing);
    });

    it.each([
      ['sd2', 'networks'],
      ['sd1', 'steps'],
    ] as const)(
      'give the CPU’s numbers at 16² latents (%s, %s)',
      async (shape, what) => {
        const findings = await inChild<Finding[]>('webgpuShapes.ts', [shape, '16', what], env);
        expect(findings.map((one) => one.what)).toEqual(expected[what]);
        for (const { what: name, found, right } of findings)
          expect([name, found, right]).toEqual([name, found, true]);
      },
      900_000,
    );
  },
);
