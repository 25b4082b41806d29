import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';
import { embeddingsIn, readEmbedding } from '../../../src-main/engine/checkpoints/embedding.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { finetune } from '../../../src-main/features/training/finetune.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures');
const own = join(fixtures, 'embedding');

// reference/textual_inversion.py: AdamW on the whole table, of which all rows but the new ones are put back after each step.
it('a word ends where twenty steps of textual inversion in torch end', { timeout: 600_000 }, async () => {
  const course = readSafetensors(join(own, 'course.safetensors')).tensors;
  const [losses, start] = ['losses', 'start'].map((name) => {
    const entry = course.get(name);
    if (!entry) throw new Error(`no ${name}`);
    return readTensor(entry).data as Float32Array;
  }) as [Float32Array, Float32Array];
  const wanted = readEmbedding(join(own, 'learned_embeds.safetensors'));

  const events: JobEvent[] = [];
  const { checkpoint } = await finetune(
    {
      out: mkdtempSync(join(tmpdir(), 'likeness-embedding-')),
      resume: false,
      settings: {
        ...({ model: join(fixtures, 'models', 'tiny-sd1'), method: 'embedding', provider: 'cpu' } as const),
        ...{ token: '<rex>', classNoun: 'dog', embedding: { vectors: 2 } },
        ...{ steps: losses.length, learningRate: 5e-3, maxGradientNorm: 1e9 },
        replay: join(own, 'replay.safetensors'),
      },
    },
    { report: (event) => events.push(event), signal: new AbortController().signal },
    'test',
  );
  const ours = events.flatMap((event) => (event.type === 'step' ? event.loss : []));
  expect(ours).toHaveLength(losses.length);
  ours.forEach((loss, k) => expect(Math.abs(loss - (losses[k] as number))).toBeLessThan(1e-4));

  const [learnt] = embeddingsIn(checkpoint);
  expect(learnt?.word).toBe(wanted.word);
  expect(learnt?.vectors.shape).toEqual(wanted.vectors.shape);
  let [gap, moved] = [0, 0];
  wanted.vectors.data.forEach((value, i) => {
    gap += ((learnt?.vectors.data[i] ?? NaN) - value) ** 2;
    moved += ((start[i] as number) - value) ** 2;
  });
  expect(Math.sqrt(moved)).toBeGreaterThan(0.1);
  expect(Math.sqrt(gap / moved)).toBeLessThan(0.005);
});
