import { beforeEach, describe, expect, it } from 'vitest';
import type { Op } from '../../../src-main/engine/graph/ops.ts';
import { f32 } from '../../../src-main/engine/tensor/tensor.ts';
import { opCases } from '../../golden/gradients/opCases.ts';
import { expectClose, golden } from '../../golden/gradients/opGoldens.ts';
import { vulkanDrivers } from '../vulkanDrivers.ts';
import { inChild } from './childProcess.ts';

type Result = { readonly shape: number[]; readonly data: number[] } | { readonly error: string };

/** One case of each operation, all of those that have kernels of their own for it. */
const cases = (Object.keys(opCases) as Op[]).flatMap((op) => {
  const names = Object.keys(opCases[op]).map((name) => `${op}/${name}`);
  return op === 'attention' || op === 'attentionGradient' || op === 'barrier' ? names : names.slice(0, 1);
});

/** WGSL's sine need only be right to 2⁻¹¹. */
const tolerance = (name: string): number => (/^(sin|cos)\//.test(name) ? 5e-4 : 1e-5);

describe.each(vulkanDrivers)('WebGPU on $name', ({ env, missing }) => {
  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing);
  });

  it('computes every operation as torch does', async () => {
    const results = await inChild<Record<string, Result>>('webgpuOperations.ts', cases, env);
    expect(Object.keys(results).sort()).toEqual([...cases].sort());
    for (const [name, result] of Object.entries(results)) {
      if ('error' in result) throw new Error(`${name}: ${result.error}`);
      expectClose(f32(result.shape, result.data), golden(`${name}/out`), tolerance(name));
    }
  }, 600_000);

  it('runs a small U-Net, its output staying on the device between runs, and a LoRA step, as the CPU does', async () => {
    const errors = await inChild<{
      forward: number;
      chained: number;
      loss: number;
      gradients: Record<string, number>;
    }>('webgpuTraining.ts', [], env);
    expect(errors.forward).toBeLessThan(1e-4);
    expect(errors.chained).toBeLessThan(1e-4);
    expect(errors.loss).toBeLessThan(1e-4);
    expect(Object.keys(errors.gradients).length).toBe(6);
    for (const [name, error] of Object.entries(errors.gradients)) expect(error, name).toBeLessThan(1e-3);
  }, 600_000);

  // ONNX Runtime's fused attention is wrong from 32 queries and 8 keys on where a driver has subgroups: 9.4 instead of 6e-7.
  it('computes attention and its gradients as the CPU does, at the lengths of real pictures', async () => {
    const lengths = ['31,8,40', '32,8,40', '64,77,32', '64,64,40', '1024,77,40', '1024,1024,64'];
    const errors = await inChild<Record<string, number[]>>('webgpuAttention.ts', lengths, env);
    expect(Object.keys(errors)).toEqual(lengths);
    for (const [length, found] of Object.entries(errors)) {
      expect(found.length).toBe(4);
      for (const error of found) expect(error, length).toBeLessThan(1e-5);
    }
  }, 600_000);
});
