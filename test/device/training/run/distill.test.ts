import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../../src-shared/domain/jobEvents.ts';
import { openModel } from '../../../../src-main/engine/checkpoints/openModel.ts';
import { compress } from '../../../../src-main/features/compression/compress.ts';
import { compressDefaults } from '../../../../src-main/features/compression/request.ts';
import { distill } from '../../../../src-main/features/distillation/distill.ts';
import { exportRun } from '../../../../src-main/features/export/export.ts';
import { inspect } from '../../../../src-main/features/inspect/inspect.ts';

const teacher = resolve('test/golden/fixtures/models/tiny-sd1');
const scratch = mkdtempSync(join(tmpdir(), 'likeness distillation ü'));
const student = join(scratch, 'student');
const data = join(scratch, 'data');
const quiet = { report: () => undefined, signal: new AbortController().signal };

beforeAll(async () => {
  process.env['LIKENESS_CACHE'] = join(scratch, 'cache');
  await compress({ ...compressDefaults, model: teacher, out: student, to: 'bk-tiny' }, quiet);
  mkdirSync(data);
  const rows = ['file_name,text'];
  for (const background of ['red', 'green', 'blue']) {
    await sharp({ create: { width: 80, height: 70, channels: 3, background } }).toFile(
      join(data, `${background}.png`),
    );
    rows.push(`${background}.png,"a ${background} wall, painted"`);
  }
  writeFileSync(join(data, 'broken.png'), 'no picture');
  rows.push('broken.png,a broken one', 'absent.png,an absent one');
  writeFileSync(join(data, 'metadata.csv'), rows.join('\n'));
});

/** Distils in `out`, or goes on there; stops after `stopAfter`. */
async function run(name: string, stopAfter?: number) {
  const events: JobEvent[] = [];
  const controller = new AbortController();
  const report = (event: JobEvent): void => {
    events.push(event);
    if (event.type === 'step' && event.step === stopAfter) controller.abort(new Error('stopped'));
  };
  const settings = {
    ...{ teacher, student, data, provider: 'cpu' as const, size: 64, steps: 4, batch: 2, accumulate: 2 },
    ...{ learningRate: 1e-3, schedule: 'cosine' as const, ema: 0.99, checkpointEvery: 3, sampleEvery: 4 },
  };
  const context = { report, signal: controller.signal };
  const out = join(scratch, name);
  const error: unknown = await distill({ out, resume: true, settings }, context, 'test').then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { events, error, out };
}

const weights = (out: string): Buffer =>
  readFileSync(join(out, 'checkpoints', '000004', 'unet', 'diffusion_pytorch_model.safetensors'));

describe('a distillation', () => {
  it('learns from captioned pictures, lists bad ones, and goes on after a stop to the same bits', async () => {
    const calm = await run('calm');
    expect(calm.error).toBeUndefined();
    const steps = calm.events.filter((event) => event.type === 'step');
    expect(steps).toHaveLength(4);
    for (const { loss, sd = NaN, output = NaN, feature = NaN } of steps)
      expect(loss).toBeCloseTo(sd + output + feature, 4);
    const skipped = readFileSync(join(calm.out, 'skipped.txt'), 'utf8');
    expect(skipped).toMatch(/absent\.png: is not there/);
    expect(skipped).toMatch(/broken\.png: /);
    for (const picture of ['teacher.png', '000004.png'])
      expect(existsSync(join(calm.out, 'samples', picture))).toBe(true);

    const stopped = await run('stopped', 2);
    expect(stopped.error).toMatchObject({ message: 'stopped' });
    const resumed = await run('stopped');
    expect(resumed.events.filter((event) => event.type === 'step').map(({ step }) => step)).toEqual([3, 4]);
    // Latents and captions were in the cache: nothing had to be encoded again.
    expect(weights(resumed.out).equals(weights(calm.out))).toBe(true);
  });

  it('is inspected and exported like any run', async () => {
    const out = join(scratch, 'calm');
    expect((await inspect(out)).report).toMatchObject({
      kind: 'run',
      method: 'distill',
      teacher,
      checkpoints: [3, 4],
    });
    const asked = { run: out, format: 'diffusers', out: join(scratch, 'exported'), transformers: 4 } as const;
    const { path } = await exportRun(asked, quiet);
    expect(openModel(path).unet.config).toEqual(openModel(student).unet.config);
  });

  it('goes on by its own settings: another one is refused by its name', async () => {
    const asked = { out: join(scratch, 'calm'), resume: true, settings: { learningRate: 0.5 } };
    await expect(distill(asked, quiet, 'test')).rejects.toMatchObject({
      code: 'run.otherSetting',
      message: expect.stringMatching(/learningRate/) as string,
    });
  });

  it('refuses a teacher smaller than the student', async () => {
    const settings = {
      teacher: student,
      student: teacher,
      data,
      provider: 'cpu' as const,
      steps: 1,
      size: 64,
    };
    const attempt = distill({ out: join(scratch, 'refused'), resume: false, settings }, quiet, 'test');
    await expect(attempt).rejects.toMatchObject({ code: 'distill.unfit' });
  });
});
