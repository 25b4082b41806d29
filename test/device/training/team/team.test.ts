import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../../src-shared/domain/jobEvents.ts';
import { readSafetensors } from '../../../../src-main/engine/checkpoints/safetensors.ts';
import { modelHash } from '../../../../src-main/engine/checkpoints/modelHash.ts';
import { openModel } from '../../../../src-main/engine/checkpoints/openModel.ts';
import { readF32 } from '../../../../src-main/engine/checkpoints/weights.ts';
import { writeSafetensors } from '../../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { TorchGenerator } from '../../../../src-main/engine/tensor/random.ts';
import { i64, type HostTensor, type Shape } from '../../../../src-main/engine/tensor/tensor.ts';
import type { StartTeamWorker } from '../../../../src-main/engine/training/team/gather.ts';
import { compress } from '../../../../src-main/features/compression/compress.ts';
import { compressDefaults } from '../../../../src-main/features/compression/request.ts';
import { distill } from '../../../../src-main/features/distillation/distill.ts';
import { finetune } from '../../../../src-main/features/training/finetune.ts';

const teacher = resolve('test/golden/fixtures/models/tiny-sd1');
const scratch = mkdtempSync(join(tmpdir(), 'likeness team ü'));
const student = join(scratch, 'student');
const quiet = { report: () => undefined, signal: new AbortController().signal };
const steps = 20;

/** Recorded batches of `rows` rows: the same rows, whatever the batches are. */
function record(name: string, rows: number, prompts: (shape: Shape) => Record<string, HostTensor>): string {
  const generator = new TorchGenerator(5);
  const file = join(scratch, `${name}-${rows}.safetensors`);
  const count = (steps * 2) / rows;
  const normal = (): HostTensor => ({
    ...{ dtype: 'f32', shape: [count, rows, 4, 8, 8] },
    data: generator.randn([count, rows, 4, 8, 8]),
  });
  const tensors = {
    ...{ latents: normal(), noise: normal() },
    timesteps: i64([count, rows], generator.randint(0, 1000, [count * rows])),
    ...prompts([count, rows, 77]),
  };
  writeSafetensors(
    file,
    Object.entries(tensors).map(([key, tensor]) => ({ name: key, tensor })),
  );
  return file;
}
const contexts = (shape: Shape): Record<string, HostTensor> => ({
  context: { dtype: 'f32', shape: [...shape, 16], data: new TorchGenerator(6).randn([...shape, 16]) },
});
const ids = (shape: Shape): Record<string, HostTensor> => ({
  input_ids: i64(
    shape,
    new TorchGenerator(7).randint(
      0,
      300,
      shape.map((size) => size),
    ),
  ),
});

const processes: ChildProcess[] = [];
const start: StartTeamWorker = ({ model, teacher, ...run }) =>
  startWith(['--model', model, ...(teacher === undefined ? [] : ['--teacher', teacher])], run);

function startWith(
  places: readonly string[],
  { address, token, provider }: Pick<Parameters<StartTeamWorker>[0], 'address' | 'token' | 'provider'>,
  more: Record<string, string> = {},
): ChildProcess {
  const own = [...places, '--provider', provider, '--threads', '1', '--quiet'];
  const words = ['dist/likeness.js', 'join', address, ...own];
  const env = { ...process.env, LIKENESS_TOKEN: token, ...more };
  const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  processes.push(child);
  return child;
}
const team = (workers: number) => ({ workers, start });

beforeAll(() => compress({ ...compressDefaults, model: teacher, out: student, to: 'bk-tiny' }, quiet));

const weightsIn = (checkpoint: string, file: string): Buffer => readFileSync(join(checkpoint, file));
const unetFile = join('unet', 'diffusion_pytorch_model.safetensors');

const notesOf = (events: readonly JobEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'note' ? [event.message] : []));

/** The largest difference of two files' tensors. */
function difference(a: string, b: string): number {
  const [ours, theirs] = [readSafetensors(a).tensors, readSafetensors(b).tensors];
  expect([...ours.keys()]).toEqual([...theirs.keys()]);
  let most = 0;
  for (const [name, entry] of ours) {
    const other = readF32(theirs.get(name) ?? expect.fail()).data;
    readF32(entry).data.forEach((value, i) => {
      most = Math.max(most, Math.abs(value - (other[i] as number)));
    });
  }
  return most;
}

interface Asked {
  readonly rows: number;
  readonly workers?: number;
  readonly accumulate?: number;
  readonly startWorker?: StartTeamWorker;
  /** `events`: all so far. */
  readonly onStep?: (step: number, events: readonly JobEvent[]) => void;
}

async function distilled(name: string, { rows, workers, accumulate, startWorker = start, onStep }: Asked) {
  const events: JobEvent[] = [];
  const report = (event: JobEvent): void => {
    events.push(event);
    if (event.type === 'step') onStep?.(event.step, events);
  };
  const replay = record('distill', rows, contexts);
  const settings = {
    ...{ teacher, student, replay, steps, learningRate: 1e-4, provider: 'cpu' as const },
    ...{ checkpointEvery: steps, ema: 0.99, ...(accumulate !== undefined && { accumulate }) },
  };
  const out = join(scratch, name);
  const own = workers === undefined ? {} : { team: { workers, start: startWorker } };
  const { checkpoint } = await distill(
    { out, resume: false, settings, ...own },
    { ...quiet, report },
    'test',
  );
  return { events, checkpoint };
}

describe('a team', { timeout: 600_000 }, () => {
  it('of two workers ends where one process ends with the larger batch', async () => {
    const together = await distilled('two', { rows: 1, workers: 2 });
    const alone = await distilled('one', { rows: 2 });
    const files = [together, alone].map(({ checkpoint }) => join(checkpoint, unetFile));
    expect(difference(files[0] as string, files[1] as string)).toBeLessThan(1e-5);
    const losses = ({ events }: typeof alone) =>
      events.flatMap((event) => (event.type === 'step' ? [event.loss] : []));
    losses(together).forEach((loss, i) => expect(loss).toBeCloseTo(losses(alone)[i] as number, 4));
  });

  it('finetunes too', async () => {
    const run = async (rows: number, workers?: number) => {
      const settings = {
        ...({ model: teacher, method: 'full', provider: 'cpu', learningRate: 1e-5 } as const),
        ...{ replay: record('finetune', rows, ids), steps, checkpointEvery: steps, trainTextEncoder: false },
      };
      const own = workers === undefined ? {} : { team: team(workers) };
      const out = join(scratch, `finetune-${rows}`);
      return (await finetune({ out, resume: false, settings, ...own }, quiet, 'test')).checkpoint;
    };
    const files = [await run(1, 2), await run(2)].map((folder) => join(folder, unetFile));
    expect(difference(files[0] as string, files[1] as string)).toBeLessThan(1e-5);
  });

  it('loses no step and counts none twice when workers are killed at ten random moments', async () => {
    let seed = 20;
    const random = (): number => (seed = (seed * 48271) % 0x7fffffff) / 0x7fffffff;
    let killed = 0;
    const timers: NodeJS.Timeout[] = [];
    const kill = (): void => {
      const alive = processes.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
      const victim = alive[Math.floor(random() * alive.length)];
      if (victim?.kill('SIGKILL')) killed++;
    };
    const disturbed = await distilled('killed', {
      rows: 1,
      workers: 2,
      // Every other step, somewhere in the next one: while weights are sent, a gradient is computed, or it comes back.
      onStep: (step) => {
        if (step % 2 === 0 && timers.length < 10) timers.push(setTimeout(kill, random() * 60));
      },
    });
    for (const timer of timers) clearTimeout(timer);
    expect(killed).toBeGreaterThanOrEqual(9);
    const done = disturbed.events.flatMap((event) => (event.type === 'step' ? [event.step] : []));
    expect(done).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
    const calm = join(scratch, 'two', 'checkpoints', String(steps).padStart(6, '0'));
    expect(weightsIn(disturbed.checkpoint, unetFile).equals(weightsIn(calm, unetFile))).toBe(true);
  });

  it('goes on without a worker that hangs, and ends at the same bits', async () => {
    let stopped: ChildProcess | undefined;
    const disturbed = await distilled('hung', {
      ...{ rows: 1, workers: 2 },
      onStep: (step, events) => {
        if (step !== 5) return;
        // The one that came first computes; on a busy machine the other may not have begun yet.
        const [pid] = notesOf(events).flatMap(
          (note) => /\(process (\d+)\) works along/.exec(note)?.[1] ?? [],
        );
        stopped = processes.find((child) => child.pid === Number(pid));
        stopped?.kill('SIGSTOP');
      },
    });
    // It was given up, ended, and another one took its place.
    if (!stopped) return expect.fail('no worker was stopped');
    if (stopped.signalCode === null && stopped.exitCode === null) await once(stopped, 'exit');
    expect(stopped.signalCode).toBe('SIGKILL');
    const notes = notesOf(disturbed.events);
    expect(notes).toContainEqual(expect.stringMatching(/is lost \(it has not been heard of for \d+ s\)/));
    const calm = join(scratch, 'two', 'checkpoints', String(steps).padStart(6, '0'));
    expect(weightsIn(disturbed.checkpoint, unetFile).equals(weightsIn(calm, unetFile))).toBe(true);
  });

  it('sends its models to a worker that lacks them, once, and ends at the same bits', async () => {
    const cache = join(scratch, 'elsewhere');
    const startWorker: StartTeamWorker = (run) =>
      startWith([], run, { LIKENESS_CACHE: cache, HF_HOME: join(scratch, 'no hub') });
    const asked = { rows: 1, workers: 1, accumulate: 2, startWorker };
    const sent = await distilled('sent', asked);
    const calm = join(scratch, 'two', 'checkpoints', String(steps).padStart(6, '0'));
    expect(weightsIn(sent.checkpoint, unetFile).equals(weightsIn(calm, unetFile))).toBe(true);
    const models = join(cache, 'models');
    const kept = readdirSync(models).sort();
    expect(kept).toEqual([teacher, student].map((place) => `run-${modelHash(openModel(place))}`).sort());
    for (const name of kept) expect(`run-${modelHash(openModel(join(models, name)))}`).toBe(name);
    // Made anew, a folder would be another one.
    const folders = (): number[] => kept.map((name) => statSync(join(models, name)).ino);
    const before = folders();
    rmSync(join(scratch, 'sent'), { recursive: true });
    await distilled('sent', asked);
    expect(folders()).toEqual(before);
  });

  it('leaves no worker behind that hangs when the run ends', async () => {
    let stopped: ChildProcess | undefined;
    await distilled('left', {
      ...{ rows: 1, workers: 2 },
      onStep: (step) => {
        if (step !== steps) return;
        stopped = processes.at(-1);
        stopped?.kill('SIGSTOP');
      },
    });
    if (!stopped) return expect.fail('no worker was stopped');
    if (stopped.signalCode === null && stopped.exitCode === null) await once(stopped, 'exit');
    expect(stopped.signalCode).toBe('SIGKILL');
  });

  it('ends with what its workers say when none stays alive', async () => {
    const settings = { teacher, student, replay: record('distill', 1, contexts), steps: 1 };
    const broken: StartTeamWorker = () =>
      spawn(process.execPath, ['-e', 'console.error("no good");process.exit(1)'], {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      });
    const request = { out: join(scratch, 'hopeless'), resume: false, settings };
    const said: string[] = [];
    const report = (event: JobEvent): void => {
      if ('message' in event) said.push(event.message);
    };
    const team = { workers: 2, start: broken, listen: '127.0.0.1:0' };
    const attempt = distill({ ...request, team }, { ...quiet, report }, 'test');
    await expect(attempt).rejects.toMatchObject({
      code: 'team.hopeless',
      message: expect.stringMatching(/no good/) as string,
    });
    // The place was asked for, as for a tunnel, so its token is told.
    expect(said.join()).toMatch(/likeness join 127\.0\.0\.1:\d+ --token \w+/);
  });
});
