import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32 } from '../../../src-main/engine/checkpoints/weights.ts';
import { generate } from '../../../src-main/features/generation/generate.ts';
import { generateDefaults, type GenerateRequest } from '../../../src-main/features/generation/request.ts';

const fixtures = join(import.meta.dirname, '../fixtures');
const work = mkdtempSync(join(tmpdir(), 'likeness-clip-skip-'));
process.env['LIKENESS_CACHE'] = join(work, 'cache');
afterAll(() => rmSync(work, { recursive: true, force: true }));
const { tensors, metadata } = readSafetensors(join(fixtures, 'pipelines/clip-skip.safetensors'));

async function drawn(request: Partial<GenerateRequest>): Promise<Float32Array> {
  const saveLatents = join(work, 'latents.safetensors');
  const said = {
    ...{ ...generateDefaults, prompts: [metadata['prompt'] ?? ''], steps: 4, seed: 5, guidance: 6 },
    ...{ model: join(fixtures, 'models/tiny-sd1'), size: { width: 64, height: 64 } },
  };
  const context = { report: () => undefined, signal: new AbortController().signal };
  const where = { out: join(work, 'out'), saveLatents, ...({ provider: 'cpu', scheduler: 'ddim' } as const) };
  await generate({ ...said, ...where, ...request }, context, 'test');
  const entry = readSafetensors(saveLatents).tensors.get('latents') ?? expect.fail();
  return readF32(entry).data;
}

const gap = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);

it.each([1, 2])(
  'clip skip %i draws what diffusers draws, with and without a negative prompt',
  async (clipSkip) => {
    for (const [name, negative] of [
      ['plain', ''],
      ['negative', metadata['negative'] ?? ''],
    ] as const) {
      const wanted = readF32(tensors.get(`${clipSkip}.${name}`) ?? expect.fail()).data;
      expect(gap(await drawn({ clipSkip, negative }), wanted)).toBeLessThan(2e-3);
      // The web UI leaves out the negative prompt's layers too.
      expect(gap(await drawn({ clipSkip, negative, promptRules: 'a1111' }), wanted)).toBeGreaterThan(0.01);
    }
  },
);
