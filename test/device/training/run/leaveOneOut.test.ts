import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JobEvent } from '../../../../src-shared/domain/jobEvents.ts';
import { openModel } from '../../../../src-main/engine/checkpoints/openModel.ts';
import { readSafetensors } from '../../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32 } from '../../../../src-main/engine/checkpoints/weights.ts';
import { finetuneBatch, subjectDatasets } from '../../../../src-main/engine/training/data/finetuneBatches.ts';
import { whatToTrain } from '../../../../src-main/engine/training/loss/parameters.ts';
import { learnWithout, withoutPhoto } from '../../../../src-main/engine/training/run/leaveOneOut.ts';
import { RunFolder } from '../../../../src-main/engine/training/run/runFolder.ts';
import { influence } from '../../../../src-main/features/influence/influence.ts';
import { finetune } from '../../../../src-main/features/training/finetune.ts';
import { jsonLines, likeness } from '../../../pure/cli/likeness.ts';

const model = resolve('test/golden/fixtures/models/tiny-bk');
const scratch = mkdtempSync(join(tmpdir(), 'likeness-ohne eins ß-'));
const place = (...names: string[]): string => join(scratch, ...names);
const run = place('run');
const quiet = { report: () => undefined, signal: new AbortController().signal };
const steps = 4;

beforeAll(async () => {
  process.env['LIKENESS_CACHE'] = place('cache');
  for (const folder of ['photos', 'two']) mkdirSync(place(folder));
  for (const [i, background] of ['red', 'green', 'blue'].entries())
    for (const folder of i < 2 ? ['photos', 'two'] : ['photos'])
      await sharp({ create: { width: 40, height: 40, channels: 3, background } })
        .composite([{ input: { create: { width: 12 + i, height: 16, channels: 3, background: 'white' } } }])
        .toFile(place(folder, `${i}.png`));
  await train('run', 'photos');
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const train = (out: string, photos: string) =>
  finetune(
    {
      ...{ out: place(out), resume: false },
      settings: {
        ...({ model, photos: place(photos), classNoun: 'brick', provider: 'cpu', prior: false } as const),
        ...{ steps, batch: 2, size: 32, learningRate: 1e-2, sampleEvery: null, lora: { rank: 2 } },
        ...{ trainTextEncoder: false, flip: true },
      },
    },
    quiet,
    '1.0.0',
  );

it('a run without a photo differs in nothing but its errors: they count 0, on the same noise', async () => {
  const { settings } = new RunFolder(run).describe();
  const opened = openModel(model);
  const turns = await subjectDatasets(opened, settings, 1000, place('cache'), quiet);
  const left = join(settings.photos ?? '', '2.png');
  const all = withoutPhoto(turns, undefined);
  const without = withoutPhoto(turns, left);
  let [kept, silent] = [0, 0];
  for (let index = 0; index < 6; index++) {
    const { lossWeights: ones, ...whole } = finetuneBatch(opened, all, settings, index);
    const { lossWeights, ...rest } = finetuneBatch(opened, without, settings, index);
    expect(rest).toEqual(whole);
    expect(new Set(ones?.data)).toEqual(new Set([1]));
    const weights = [...(lossWeights?.data ?? [])];
    for (const row of [0, 1]) {
      const own = new Set(weights.slice((row * weights.length) / 2, ((row + 1) * weights.length) / 2));
      expect([...own]).toHaveLength(1);
      if (own.has(0)) silent++;
      else kept++;
    }
  }
  // Two epochs of three photos, each also mirrored.
  expect([kept, silent]).toEqual([8, 4]);

  const trained = whatToTrain(opened, settings);
  const learnt = await learnWithout(
    { model: opened, trained, settings, turns },
    undefined,
    place('short'),
    quiet,
  );
  const checkpoint = join(
    run,
    'checkpoints',
    String(steps).padStart(6, '0'),
    'unet',
    'adapter_model.safetensors',
  );
  const { tensors } = readSafetensors(checkpoint);
  expect(tensors.size).toBe(trained.names.length);
  const ofRun = [...tensors].map(([, entry]) => sum(readF32(entry).data)).sort((a, b) => a - b);
  const ofShort = Object.values(learnt)
    .map(({ data }) => sum(data))
    .sort((a, b) => a - b);
  for (const [i, value] of ofRun.entries()) expect(ofShort[i]).toBeCloseTo(value, 5);
});

const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);

it(
  'is stopped in a short run, goes on there, and finds the same as without a stop',
  { timeout: 600_000 },
  async () => {
    const request = { run, steps: 2, noises: 2 };
    const events: JobEvent[] = [];
    const controller = new AbortController();
    const stopAt = (event: JobEvent): void => {
      events.push(event);
      if (event.type === 'progress' && event.label === 'short runs' && event.done >= 5)
        controller.abort(new Error('stopped'));
    };
    await expect(influence(request, { report: stopAt, signal: controller.signal })).rejects.toThrow(
      'stopped',
    );
    const [key = ''] = readdirSync(join(run, 'influence'));
    const kept = readdirSync(join(run, 'influence', key)).sort();
    expect(kept).toEqual(['.without-2', 'all.safetensors', 'base.safetensors', 'without-1.safetensors']);
    expect(events.find(({ type }) => type === 'note')).toMatchObject({
      message: expect.stringMatching(/^4 short runs of 2 steps each/) as string,
    });

    const written = readFileSync(join(run, 'influence', key, 'without-1.safetensors'));
    const after: JobEvent[] = [];
    const resumed = await influence(request, { ...quiet, report: (event) => void after.push(event) });
    expect(readFileSync(join(run, 'influence', key, 'without-1.safetensors'))).toEqual(written);
    const first = after.find((event) => event.type === 'progress' && event.label === 'short runs');
    expect(first).toMatchObject({ total: 8 });
    expect((first as { done: number }).done).toBeGreaterThanOrEqual(5);

    rmSync(join(run, 'influence'), { recursive: true });
    expect(await influence(request, quiet)).toEqual(resumed);
    expect(resumed.photos.map(({ name, subject }) => [name, subject])).toEqual(
      [0, 1, 2].map((i) => [`${i}.png`, 'sks brick']),
    );
    for (const { errors, message } of resumed.photos) {
      expect(message).not.toBe('');
      for (const error of Object.values(errors)) expect(error).toBeGreaterThan(0);
    }
    expect(JSON.parse(readFileSync(resumed.path, 'utf8'))).toEqual({
      ...{ steps: 2, noises: 2, photos: resumed.photos },
    });
  },
);

it('on the command line, and what it refuses', { timeout: 600_000 }, async () => {
  const { status, stdout, stderr } = await likeness([
    ...['influence', '--run', run, '--steps', '4', '--noises', '3', '--json'],
  ]);
  expect(stderr).toContain('4 short runs of 4 steps each');
  expect(status).toBe(0);
  const done = jsonLines(stdout).at(-1);
  expect(done).toMatchObject({ type: 'done', steps: 4, run });
  // What was measured in another way is gone.
  expect(readdirSync(join(run, 'influence')).filter((name) => name !== 'influence.json')).toHaveLength(1);
  const text = await likeness(['influence', '--run', run, '--steps', '4', '--noises', '3']);
  expect(text.stdout).toContain('others without it: ');
  expect(text.stdout).toContain('4 short runs of 4 steps, 3 noises a photo');

  await train('run-of-two', 'two');
  const few = await likeness(['influence', '--run', place('run-of-two')]);
  expect(few.status).toBe(1);
  expect(few.stderr).toContain("has 2 photos, but fewer than 3 can't be compared with each other");
  const nowhere = await likeness(['influence', '--run', place('nowhere')]);
  expect(nowhere.stderr).toContain('holds no run');
  writeFileSync(place('photos', '2.png'), readFileSync(place('photos', '0.png')));
  const changed = await likeness(['influence', '--run', run]);
  expect(changed.stderr).toContain('2.png');
  expect(changed.stderr).toContain('is another picture now');
});
