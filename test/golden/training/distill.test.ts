import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';
import {
  blocksOfKind,
  planRemoval,
  type StudentKind,
} from '../../../src-main/engine/checkpoints/blockRemoval.ts';
import { openModelFolder } from '../../../src-main/engine/checkpoints/modelFolder.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { studentOf } from '../../../src-main/engine/checkpoints/student.ts';
import { readF32, readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { writeStudent } from '../../../src-main/engine/checkpoints/writeStudent.ts';
import { trainedFiles } from '../../../src-main/engine/training/run/checkpoint.ts';
import { distill } from '../../../src-main/features/distillation/distill.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures');
const scratch = mkdtempSync(join(tmpdir(), 'likeness-distill-'));

describe.each(['tiny', 'base', 'xl'])('distilling a %s student', (name) => {
  it('ends after ten recorded batches where torch ends', async () => {
    const folder = join(fixtures, 'distillation', name);
    const { tensors, metadata } = readSafetensors(join(folder, 'expected.safetensors'));
    const teacher = openModelFolder(join(fixtures, 'models', metadata['teacher'] as string));
    const blocks = blocksOfKind(metadata['kind'] as StudentKind, teacher.unet.config, teacher.path);
    const student = studentOf(teacher, planRemoval(teacher.unet.config, blocks));
    const studentFolder = join(scratch, `${name}-student`);
    writeStudent(studentFolder, student);

    const events: JobEvent[] = [];
    const settings = {
      ...{ teacher: teacher.path, student: studentFolder, replay: join(folder, 'replay.safetensors') },
      ...{ steps: 10, learningRate: Number(metadata['lr']), provider: 'cpu' as const },
      lambdaSd: Number(metadata['sd']),
      lambdaOutput: Number(metadata['output']),
      lambdaFeature: Number(metadata['feature']),
      ...(metadata['ema'] && { ema: Number(metadata['ema']) }),
    };
    const context = { report: (event: JobEvent) => events.push(event), signal: new AbortController().signal };
    const out = join(scratch, name);
    const { checkpoint } = await distill({ out, resume: false, settings }, context, 'test');

    const losses = readTensor(tensors.get('losses') ?? expect.fail()).data as Float32Array;
    const steps = events.filter((event) => event.type === 'step');
    expect(steps).toHaveLength(10);
    steps.forEach(({ sd = NaN, output = NaN, feature = NaN, loss }, k) => {
      [sd, output, feature].forEach((part, i) => {
        const wanted = losses[3 * k + i] as number;
        expect(Math.abs(part - wanted) / Math.max(1, wanted)).toBeLessThan(1e-4);
      });
      const { lambdaSd, lambdaOutput, lambdaFeature } = settings;
      expect(loss).toBeCloseTo(lambdaSd * sd + lambdaOutput * output + lambdaFeature * feature, 4);
    });

    const ours = readSafetensors(join(checkpoint, trainedFiles.unet)).tensors;
    let [gap, moved] = [0, 0];
    for (const [key, entry] of tensors) {
      if (key === 'losses') continue;
      const wanted = readF32(entry).data;
      const got = readF32(ours.get(key) ?? expect.fail(`${key} was not trained`)).data;
      const from = readF32(student.unet.weights.get(key) ?? expect.fail()).data;
      wanted.forEach((value, i) => {
        gap += ((got[i] as number) - value) ** 2;
        moved += ((from[i] as number) - value) ** 2;
      });
    }
    expect(ours.size).toBe(tensors.size - 1);
    expect(Math.sqrt(gap / moved)).toBeLessThan(0.02);
  });
});
