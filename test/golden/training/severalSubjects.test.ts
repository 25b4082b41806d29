import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { expectTensor, readF32, Weights } from '../../../src-main/engine/checkpoints/weights.ts';
import { finetune } from '../../../src-main/features/training/finetune.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures');
const own = join(fixtures, 'subjects');

// reference/several_subjects.py: from photos to losses, with torch's generators, diffusers' VAE and U-Net, and transformers' text encoder.
it('two subjects are learnt in turn as torch and diffusers learn them', { timeout: 600_000 }, async () => {
  const file = join(own, 'course.safetensors');
  const { data: losses } = readF32(
    expectTensor(new Weights(file, readSafetensors(file).tensors), 'losses', [8]),
  );
  const out = mkdtempSync(join(tmpdir(), 'likeness-in-turn-'));
  process.env['LIKENESS_CACHE'] = join(out, 'cache');
  const events: JobEvent[] = [];
  await finetune(
    {
      ...{ out: join(out, 'run'), resume: false },
      settings: {
        ...({ model: join(fixtures, 'models', 'tiny-bk'), method: 'full', provider: 'cpu' } as const),
        ...{ photos: join(own, 'bricks'), classNoun: 'brick', token: 'sks', prior: false },
        otherSubjects: [{ photos: join(own, 'balls'), classNoun: 'ball', token: 'ohwx' }],
        ...{ steps: losses.length, batch: 2, size: 32, seed: 1234, learningRate: 1e-4 },
        ...{ trainTextEncoder: false, sampleEvery: null },
      },
    },
    { report: (event) => events.push(event), signal: new AbortController().signal },
    'test',
  );
  rmSync(out, { recursive: true, force: true });
  const ours = events.flatMap((event) => (event.type === 'step' ? event.loss : []));
  expect(ours).toHaveLength(losses.length);
  for (const [step, loss] of ours.entries())
    expect(Math.abs(loss / (losses[step] as number) - 1)).toBeLessThan(1e-3);
  // A batch of the other subject, or another photo, would be far off.
  const spread = Math.max(...losses) / Math.min(...losses);
  expect(spread).toBeGreaterThan(1.05);
});
