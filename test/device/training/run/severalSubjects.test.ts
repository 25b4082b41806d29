import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AskedFinetune } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { JobEvent } from '../../../../src-shared/domain/jobEvents.ts';
import type { RunScore } from '../../../../src-shared/domain/runScore.ts';
import { readSafetensors } from '../../../../src-main/engine/checkpoints/safetensors.ts';
import { openRun } from '../../../../src-main/features/export/openRun.ts';
import { finetune } from '../../../../src-main/features/training/finetune.ts';
import { rerun } from '../../../../src-main/features/training/rerun.ts';
import { jsonLines, likeness } from '../../../pure/cli/likeness.ts';

const model = resolve('test/golden/fixtures/models/tiny-bk');
const scratch = mkdtempSync(join(tmpdir(), 'likeness-zwei ß-'));
const place = (...names: string[]): string => join(scratch, ...names);
const run = place('run');
const signal = new AbortController().signal;
const quiet = { report: () => undefined, signal };

const draw = (folder: string, name: string, background: string) =>
  sharp({ create: { width: 40, height: 40, channels: 3, background } })
    .png()
    .toFile(place(folder, name));

const settings = {
  ...({ model, photos: place('bricks'), classNoun: 'brick', provider: 'cpu' } as const),
  otherSubjects: [{ photos: place('balls'), classNoun: 'ball', token: 'ohwx' }],
  ...{ lora: { rank: 1 }, textLora: { rank: 1 }, learningRate: 1e-3 },
  ...{ steps: 6, size: 32, checkpointEvery: 3, sampleEvery: 3, prior: { classImages: 2, classSteps: 2 } },
} satisfies AskedFinetune;

const train = (name: string, more: AskedFinetune = {}, resume = false, context = quiet) =>
  finetune({ out: place(name), resume, settings: { ...settings, ...more } }, context, '1.0.0');

const weightsOf = (name: string, step: string) =>
  readFileSync(place(name, 'checkpoints', step, 'unet', 'adapter_model.safetensors'));

beforeAll(async () => {
  process.env['LIKENESS_CACHE'] = place('cache');
  for (const folder of ['bricks', 'balls', 'balls/masks']) mkdirSync(place(folder));
  await draw('bricks', 'a.png', 'red');
  await draw('bricks', 'b.png', 'darkred');
  await draw('bricks', 'c.png', 'brown');
  await draw('balls', 'a.png', 'blue');
  writeFileSync(place('balls', 'a.txt'), 'a {token} {class}, alone\n');
  // A mask of the second subject alone: all batches have loss weights.
  await sharp({ create: { width: 40, height: 40, channels: 3, background: 'black' } })
    .composite([
      { input: { create: { width: 40, height: 20, channels: 3, background: 'white' } }, left: 0, top: 0 },
    ])
    .png()
    .toFile(place('balls', 'masks', 'a.png'));
  await train('run');
}, 600_000);
afterAll(() => rmSync(scratch, { recursive: true }));

describe('a run of two subjects', { timeout: 600_000 }, () => {
  it('keeps the photos, words and captions of both, and class pictures of each class', () => {
    const about = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as {
      photos: object;
      settings: { otherSubjects: object[] };
    };
    expect(Object.keys(about.photos)).toEqual([
      'a.png',
      'b.png',
      'c.png',
      'subject 2/a.png',
      'subject 2/masks/a.png',
    ]);
    expect(about.settings.otherSubjects).toMatchObject([
      { token: 'ohwx', classNoun: 'ball', photoCaptions: { 'a.png': 'a {token} {class}, alone' } },
    ]);
    expect(readdirSync(place('cache', 'class-pictures'))).toHaveLength(2);
    const capsule = readFileSync(join(run, 'capsule.json'), 'utf8');
    expect(capsule).not.toContain(scratch);
    expect(capsule).toContain('subject 2/masks/a.png');
    expect(openRun(run, undefined).subject).toBe('sks brick, ohwx ball');
  });

  it('draws a sample of each, side by side', async () => {
    const { width, height } = await sharp(join(run, 'samples', '000003.png')).metadata();
    expect([width, height]).toEqual([64, 32]);
  });

  it('goes on after an interruption to the same bits', async () => {
    const pause = new AbortController();
    const report = (event: JobEvent): void => {
      if (event.type === 'step' && event.step === 4) pause.abort();
    };
    await expect(
      train('broken', { sampleEvery: null }, false, { report, signal: pause.signal } as never),
    ).rejects.toThrow();
    await train('broken', { sampleEvery: null }, true);
    expect(weightsOf('broken', '000006')).toEqual(weightsOf('run', '000006'));
    const [step] = readdirSync(place('broken')).filter((name) => name.startsWith('state-'));
    expect(readSafetensors(place('broken', step ?? '')).metadata['step']).toBe('6');
  });

  it('is made again from its capsule, to the bit', async () => {
    writeFileSync(place('capsule.json'), readFileSync(join(run, 'capsule.json')));
    const request = { capsule: place('capsule.json'), out: place('again'), resume: false } as const;
    const lone = { ...request, model, photos: place('bricks'), provider: 'cpu' } as const;
    await expect(rerun(lone, quiet, '1.0.0')).rejects.toThrow(/photos of ohwx ball.*--other-photos/);
    const found = await rerun({ ...lone, otherPhotos: [place('balls')] }, quiet, '1.0.0');
    expect(found.same).toBe(true);
  });

  it('refuses other photos of the second subject by name, and finds them where they were moved', async () => {
    const original = readFileSync(place('balls', 'a.png'));
    await draw('balls', 'a.png', 'green');
    await expect(train('run', { steps: 7 }, true)).rejects.toThrow(
      /a\.png in .*balls is another picture now/,
    );
    writeFileSync(place('balls', 'a.png'), original);
    renameSync(place('balls'), place('elsewhere'));
    await expect(train('run', { steps: 7 }, true)).rejects.toThrow(/balls/);
    const [ball] = settings.otherSubjects as [(typeof settings.otherSubjects)[0]];
    const moved = { ...ball, photos: place('elsewhere') };
    await train('run', { steps: 7, sampleEvery: null, otherSubjects: [moved] }, true);
    const other = { ...moved, token: 'other' };
    await expect(train('run', { steps: 8, otherSubjects: [other] }, true)).rejects.toThrow(/otherSubjects/);
    renameSync(place('elsewhere'), place('balls'));
  });

  it('refuses subjects that would be mixed up, and one class folder for two classes', async () => {
    const [other] = settings.otherSubjects as [(typeof settings.otherSubjects)[0]];
    await expect(train('no', { otherSubjects: [{ ...other, token: 'sks' }] })).rejects.toThrow(/token "sks"/);
    await expect(train('no', { otherSubjects: [{ ...other, photos: place('bricks') }] })).rejects.toThrow(
      /bricks is given for two subjects/,
    );
    await expect(train('no', { classPhotos: place('bricks') })).rejects.toThrow(/\(brick, ball\)/);
  });

  it('takes as many steps for each as for one, unless they are said', async () => {
    const out = place('counted');
    const stop = new AbortController();
    const report = ({ type }: { readonly type: string }): void => {
      if (type === 'step') stop.abort();
    };
    await expect(
      finetune(
        { out, resume: false, settings: { ...settings, steps: undefined, prior: false, sampleEvery: null } },
        { report, signal: stop.signal },
        '1.0.0',
      ),
    ).rejects.toThrow();
    const { settings: kept } = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')) as {
      settings: { steps: number };
    };
    expect(kept.steps).toBe(1600);
  });

  it('is scored by subject, with how far they are mixed up', async () => {
    const asked = ['--run', run, '--checkpoints', '6', '--steps', '1', '--provider', 'cpu', '--json'];
    const { status, stdout, stderr } = await likeness(['score', ...asked]);
    expect(status, stderr).toBe(0);
    const done = jsonLines(stdout).at(-1) as unknown as RunScore;
    expect(done.prompts).toHaveLength(50);
    const [bricks, balls] = done.subjects ?? [];
    expect([bricks?.name, balls?.name]).toEqual(['sks brick', 'ohwx ball']);
    expect(balls?.prompts[0]).toBe('a ohwx ball in the snow');
    for (const [own, other] of [
      [bricks, 'ohwx ball'],
      [balls, 'sks brick'],
    ] as const) {
      const { mixing, reach } = own?.checkpoints[0] ?? {};
      expect(mixing?.others.map(({ name }) => name)).toEqual([other]);
      for (const { value, low, high } of [mixing?.own, mixing?.others[0]?.likeness].map(
        (one) => one ?? (NaN as never),
      ))
        expect(low <= value && value <= high).toBe(true);
      expect(Number.isFinite(reach?.balance)).toBe(true);
      expect(own?.photos.mixing.mixed).toBe(0);
    }
    const [checkpoint] = done.checkpoints;
    const means = [bricks, balls].map((one) => one?.checkpoints[0]?.reach.fidelity ?? NaN);
    expect(checkpoint?.reach.fidelity).toBeCloseTo(((means[0] ?? 0) + (means[1] ?? 0)) / 2, 12);
    const one = await likeness(['score', '--run', run, '--photos', place('bricks')]);
    expect([one.status, one.stderr]).toEqual([1, expect.stringContaining('several subjects') as string]);
  });
});
