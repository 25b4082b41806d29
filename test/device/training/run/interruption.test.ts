import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../../src-shared/domain/jobEvents.ts';
import { finetune } from '../../../../src-main/features/training/finetune.ts';
import { likeness } from '../../../pure/cli/likeness.ts';

const model = resolve('test/golden/fixtures/models/tiny-bk');
const scratch = mkdtempSync(join(tmpdir(), 'likeness-interruption-'));
const photos = join(scratch, 'photos');
const classFolder = join(scratch, 'cache', 'class-pictures');
const steps = 6;

beforeAll(async () => {
  process.env['LIKENESS_CACHE'] = join(scratch, 'cache');
  mkdirSync(photos);
  for (const [i, background] of ['red', 'green', 'blue', 'orange'].entries())
    await sharp({ create: { width: 20 + 9 * i, height: 50, channels: 3, background } })
      .composite([{ input: { create: { width: 9, height: 12, channels: 3, background: 'white' } } }])
      .toFile(join(photos, `${i}.png`));
});

/** Digests of the files of the last checkpoint, by path. */
function finalFiles(run: string): Record<string, string> {
  const folder = join(run, 'checkpoints', String(steps).padStart(6, '0'));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return Object.fromEntries(paths.map((file) => [relative(folder, file), digest(file)]));
}

interface Watched {
  readonly events: JobEvent[];
  readonly error: unknown;
}

/** Trains in `out`, or goes on there; stops after `stopAfter`. */
async function train(out: string, method: 'lora' | 'full', stopAfter?: number): Promise<Watched> {
  const events: JobEvent[] = [];
  const controller = new AbortController();
  const report = (event: JobEvent): void => {
    events.push(event);
    if (event.type === 'step' && event.step === stopAfter) controller.abort(new Error('stopped'));
  };
  const settings = {
    ...({ model, photos, classNoun: 'brick', method, steps, size: 32, provider: 'cpu' } as const),
    ...{ learningRate: 1e-3, accumulate: 2, checkpointEvery: 4, sampleEvery: steps, flip: true },
    ...{
      prior: { weight: 0.5, classImages: 2 },
      ...(method === 'lora' && { lora: { rank: 20 } }),
      warmup: 2,
      schedule: 'linear' as const,
    },
  };
  const context = { report, signal: controller.signal };
  const error = await finetune({ out, resume: true, settings }, context, 'test').then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { events, error };
}

const stepsOf = ({ events }: Watched): number[] =>
  events.flatMap((event) => (event.type === 'step' ? event.step : []));

describe.each(['lora', 'full'] as const)('a %s run', (method) => {
  const folder = (name: string): string => join(scratch, `${method}-${name}`);
  let expected: Record<string, string> = {};

  it('reports losses, checkpoints and a sample, and makes class pictures once', async () => {
    const madeBefore = method === 'full';
    const watched = await train(folder('calm'), method);
    expect(watched.error).toBeUndefined();
    expect(stepsOf(watched)).toEqual([1, 2, 3, 4, 5, 6]);
    for (const event of watched.events) {
      if (event.type === 'step') expect(event.loss).toBeGreaterThan(0);
      if (event.type === 'checkpoint') expect(readdirSync(event.path)).toEqual(['text_encoder', 'unet']);
    }
    expect(watched.events.flatMap((event) => (event.type === 'checkpoint' ? event.step : []))).toEqual([
      4, 6,
    ]);
    const [sample] = watched.events.flatMap((event) => (event.type === 'sample' ? event.path : []));
    expect(await sharp(sample).metadata()).toMatchObject({ format: 'png', width: 32, height: 32 });
    const drawn = watched.events.filter(
      (event) => event.type === 'progress' && event.label === 'class pictures' && event.done < event.total,
    );
    expect(drawn.length > 0).toBe(!madeBefore);
    // A whole batch is drawn: its last bits depend on its size.
    expect(
      readdirSync(classFolder, { recursive: true }).filter((name) => String(name).endsWith('.png')),
    ).toHaveLength(4);
    expected = finalFiles(folder('calm'));
    expect(Object.keys(expected).length).toBeGreaterThan(1);
  });

  // Either method stops at the same place; a killed run writes other files with each.
  it.runIf(method === 'lora')('that was cancelled keeps its steps and goes on to the same bits', async () => {
    const run = folder('cancelled');
    const stopped = await train(run, method, 3);
    expect(stopped.error).toMatchObject({ message: 'stopped' });
    const kept = stopped.events.flatMap((event) => (event.type === 'checkpoint' ? event.step : []));
    expect(kept).toEqual([3]);
    const resumed = await train(run, method);
    expect(stepsOf(resumed)).toEqual([4, 5, 6]);
    expect(finalFiles(run)).toEqual(expected);
    const log = readFileSync(join(run, 'log.jsonl'), 'utf8').trim().split('\n');
    expect(log.map((line) => (JSON.parse(line) as { step: number }).step)).toEqual([1, 2, 3, 4, 5, 6]);

    const again = await train(run, method);
    expect([again.error, stepsOf(again)]).toEqual([undefined, []]);
    expect(finalFiles(run)).toEqual(expected);
  });

  it('that was killed goes on to the same bits', async () => {
    const run = folder('killed');
    const calm = readFileSync(join(folder('calm'), 'run.json'), 'utf8');
    mkdirSync(run);
    const { status } = await likeness(
      [
        ...[
          'finetune',
          '--out',
          run,
          '--model',
          model,
          '--photos',
          photos,
          '--class',
          'brick',
          '--size',
          '32',
        ],
        ...['--method', method, '--steps', String(steps), '--lr', '1e-3', '--accumulate', '2', '--flip'],
        ...['--checkpoint-every', '1', '--sample-every', '6', '--prior-weight', '0.5', '--class-images', '2'],
        ...['--warmup', '2', '--lr-schedule', 'linear', '--provider', 'cpu', '--json'],
        ...(method === 'lora' ? ['--rank', '20'] : []),
      ],
      (child) => {
        child.stdout?.on('data', (text: string) => {
          if (text.includes('"step":2,')) setTimeout(() => child.kill('SIGKILL'), Math.random() * 200);
        });
      },
    );
    expect(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'))).toMatchObject({
      settings: { ...(JSON.parse(calm) as { settings: object }).settings, checkpointEvery: 1 },
    });
    expect([null, 0]).toContain(status);
    // As a version wrote it whose hash of the model saw the ends of its tensors alone.
    const { modelHash: _hash, ...older } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    writeFileSync(join(run, 'run.json'), JSON.stringify({ ...older, modelHash: '448c18442c01ca4f' }));
    const resumed = await train(run, method);
    expect(resumed.error).toBeUndefined();
    expect(finalFiles(run)).toEqual(expected);
    const left = readdirSync(run, { recursive: true }).filter((name) => String(name).endsWith('.tmp'));
    expect(left).toEqual([]);
  });
});

it('a checkpoint whose writing was cut off is passed over and removed', async () => {
  const run = join(scratch, 'lora-cancelled');
  const expected = finalFiles(run);
  const last = join(run, 'checkpoints', '000006');
  const [state] = readdirSync(run).filter((name) => name.startsWith('state-'));
  rmSync(join(run, state as string));
  rmSync(last, { recursive: true });
  mkdirSync(join(run, 'checkpoints', '.000005.tmp', 'unet'), { recursive: true });
  const { events, error } = await train(run, 'lora');
  expect(error).toBeUndefined();
  expect(events.filter(({ type }) => type === 'step')).toHaveLength(6);
  expect(finalFiles(run)).toEqual(expected);
  expect(readdirSync(join(run, 'checkpoints')).sort()).toEqual(['000003', '000004', '000006']);
  expect(statSync(last).isDirectory()).toBe(true);
});

it('a sample that a kill took, a state of the step before and what was half-written are mended', async () => {
  const run = join(scratch, 'lora-calm');
  const sample = join(run, 'samples', '000006.png');
  const drawn = readFileSync(sample);
  rmSync(sample);
  const left = [join(run, 'state-000004.safetensors'), join(run, 'samples', '.000006.png.99999999.tmp')];
  for (const file of left) writeFileSync(file, 'half');
  const { error } = await train(run, 'lora');
  expect(error).toBeUndefined();
  expect(readFileSync(sample).equals(drawn)).toBe(true);
  expect(left.filter((file) => existsSync(file))).toEqual([]);
});

it('class pictures that are gone or damaged come out as they were, and a class has its own', async () => {
  const [folder = ''] = readdirSync(classFolder);
  const picture = (i: number): string => join(classFolder, folder, `000${i}.png`);
  const before = [0, 1, 2, 3].map((i) => readFileSync(picture(i)));
  rmSync(picture(1));
  // What a full disk or a sync program leaves: nothing, a half, zeros.
  writeFileSync(picture(0), '');
  writeFileSync(picture(2), (before[2] as Buffer).subarray(0, 500));
  writeFileSync(picture(3), Buffer.alloc(before[3]?.length ?? 0));
  writeFileSync(join(classFolder, folder, '.0001.png.99999999.tmp'), 'half');
  rmSync(join(scratch, 'lora-killed'), { recursive: true });
  expect((await train(join(scratch, 'lora-killed'), 'lora')).error).toBeUndefined();
  expect([0, 1, 2, 3].map((i) => readFileSync(picture(i)).equals(before[i] as Buffer))).toEqual(
    Array(4).fill(true),
  );
  expect(readdirSync(join(classFolder, folder))).toHaveLength(4);
  expect(finalFiles(join(scratch, 'lora-killed'))).toEqual(finalFiles(join(scratch, 'lora-calm')));
  const nouns = ['toy dog', 'toy-dog'];
  for (const classNoun of nouns) {
    const settings = { ...{ model, photos, classNoun, steps: 1, size: 32, provider: 'cpu' as const } };
    await finetune(
      { out: join(scratch, classNoun), resume: false, settings: { ...settings, prior: { classImages: 1 } } },
      { report: () => undefined, signal: new AbortController().signal },
      'test',
    );
  }
  expect(readdirSync(classFolder)).toHaveLength(1 + nouns.length);
});

it('a run does not go on with other photos than it began with', async () => {
  const run = join(scratch, 'lora-calm');
  const first = join(photos, '0.png');
  const own = readFileSync(first);
  writeFileSync(first, readFileSync(join(photos, '1.png')));
  const replaced = await train(run, 'lora');
  expect(String(replaced.error)).toMatch(
    /lora-calm was started with other photos: 0\.png in .* is another picture/,
  );
  rmSync(first);
  expect(String((await train(run, 'lora')).error)).toMatch(/0\.png in .* is gone/);
  writeFileSync(first, own);
  writeFileSync(join(photos, '9.png'), own);
  expect(String((await train(run, 'lora')).error)).toMatch(/9\.png in .* was not there/);
  rmSync(join(photos, '9.png'));
  expect((await train(run, 'lora')).error).toBeUndefined();
});
