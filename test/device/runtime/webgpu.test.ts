import { existsSync } from 'node:fs';
import { describe, expect, it, type TestContext } from 'vitest';
import type { Op } from '../../../src-main/engine/graph/ops.ts';
import { f32 } from '../../../src-main/engine/tensor/tensor.ts';
import { opCases } from '../../golden/gradients/opCases.ts';
import { expectClose, golden } from '../../golden/gradients/opGoldens.ts';
import { inChild } from './childProcess.ts';

// Debian's chromium brings a Vulkan driver and loader that need no graphics card; a driver named by the user goes first.
const driver = '/usr/lib/chromium';
const env: NodeJS.ProcessEnv =
  process.env['VK_ICD_FILENAMES'] || !existsSync(`${driver}/vk_swiftshader_icd.json`)
    ? {}
    : { VK_ICD_FILENAMES: `${driver}/vk_swiftshader_icd.json`, LD_LIBRARY_PATH: driver };

type Result = { readonly shape: number[]; readonly data: number[] } | { readonly error: string };
const run = (names: readonly string[]) => inChild<Record<string, Result>>('webgpuOperations.ts', names, env);

let why: Promise<string | undefined> | undefined;

/** Skips a test where WebGPU finds no device, saying so. */
async function needsDevice({ skip }: TestContext): Promise<void> {
  why ??= run(['neg/plain']).then(({ 'neg/plain': first }) =>
    first && 'error' in first ? first.error : undefined,
  );
  const error = await why;
  if (error !== undefined)
    skip(`no WebGPU device: ${error}; on Debian, apt-get install chromium brings one in software`);
}

/** One case of each operation, all of those that have kernels of their own for it. */
const cases = (Object.keys(opCases) as Op[]).flatMap((op) => {
  const names = Object.keys(opCases[op]).map((name) => `${op}/${name}`);
  return op === 'attention' || op === 'attentionGradient' || op === 'barrier' ? names : names.slice(0, 1);
});

/** WGSL's sine need only be right to 2⁻¹¹. */
const tolerance = (name: string): number => (/^(sin|cos)\//.test(name) ? 5e-4 : 1e-5);

describe('WebGPU', () => {
  it('computes every operation as torch does', async (context) => {
    await needsDevice(context);
    const results = await run(cases);
    expect(Object.keys(results).sort()).toEqual([...cases].sort());
    for (const [name, result] of Object.entries(results)) {
      if ('error' in result) throw new Error(`${name}: ${result.error}`);
      expectClose(f32(result.shape, result.data), golden(`${name}/out`), tolerance(name));
    }
  }, 600_000);

  it('runs a small U-Net, its output staying on the device between runs, and a LoRA step, as the CPU does', async (context) => {
    await needsDevice(context);
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
});
