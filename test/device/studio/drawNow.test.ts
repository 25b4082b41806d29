import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { StartWorker } from '../../../src-main/jobs/workerProcess.ts';
import type { FromWorker, ResultOf, Start } from '../../../src-main/features/tasks.ts';
import type { JobKind } from '../../../src-shared/domain/job.ts';
import { pictures } from '../../pictureRequest.ts';
import { openedStudio, type OpenedStudio } from './openedStudio.ts';

interface Process {
  /** What it was told, in order. */
  readonly told: string[];
  killed: boolean;
  finish: (result: ResultOf<JobKind>) => void;
}

/** Worker processes that do nothing until they are told to finish or to stop. */
function idleWorkers(): { start: StartWorker; processes: Process[] } {
  const processes: Process[] = [];
  const start: StartWorker = () => {
    let heard: (message: FromWorker) => void = () => undefined;
    let ended: (why: string) => void = () => undefined;
    let task: Start<JobKind> | undefined;
    const process: Process = {
      ...{ told: [], killed: false },
      finish: (result) => {
        heard({ type: 'done', result });
        if (task?.stay !== true) ended('exit status 0');
      },
    };
    processes.push(process);
    return {
      send: (message) => {
        process.told.push(message.type === 'start' ? message.kind : message.type);
        if (message.type === 'start') task = message;
        if (message.type !== 'stop') return;
        heard({ type: 'failed', problem: { code: 'cancelled', message: '' } });
        ended('exit status 0');
      },
      onMessage: (listener) => (heard = listener),
      onExit: (listener) => (ended = listener),
      kill: () => {
        process.killed = true;
        ended('SIGKILL');
      },
    };
  };
  return { start, processes };
}

const scratch = mkdtempSync(path.join(os.tmpdir(), 'likeness-draw-now-'));
let studio: OpenedStudio | undefined;
afterEach(async () => {
  await studio?.close();
  rmSync(scratch, { recursive: true, force: true });
});

const drawn = { steps: 240, loss: 0.1, checkpoint: '' };
const wanted = pictures({ prompts: ['a dog'], mixes: [[]] });

it('draws now: training makes way and goes on by itself; the next pictures find the worker warm', async () => {
  const { start, processes } = idleWorkers();
  studio = await openedStudio(path.join(scratch, 'library'), start);
  const { ask } = studio;
  const states = async (): Promise<string[]> =>
    (await ask('jobs.list', {})).sort((a, b) => a.id - b.id).map(({ kind, state }) => `${kind} ${state}`);

  const { id: subjectId } = await ask('subjects.createSample', {});
  const run = await ask('training.start', { subjectId, modelId: null, preset: 'quick' });
  const { jobId } = await ask('generation.start', wanted);
  expect(await states()).toEqual(['train running', 'generate queued']);

  await ask('jobs.first', { id: jobId });
  await expect.poll(states).toEqual(['train queued', 'generate running']);
  expect(processes.map(({ told }) => told)).toEqual([['train', 'stop'], ['generate']]);
  await expect(ask('jobs.first', { id: jobId })).rejects.toThrow(/running/);

  // More pictures while training waits: they wait behind it, and are drawn by who drew before.
  const second = await ask('generation.start', wanted);
  await ask('jobs.first', { id: second.jobId });
  await expect.poll(states).toEqual(['train queued', 'generate queued', 'generate running']);

  processes.at(-1)?.finish(undefined);
  await expect.poll(states).toEqual(['train queued', 'generate running', 'generate done']);
  processes.at(-1)?.finish(undefined);
  await expect.poll(states).toEqual(['train running', 'generate done', 'generate done']);
  expect(await ask('training.run', { id: run.id })).toMatchObject({ run: { state: 'running' } });
  const drawers = processes.filter(({ told }) => told[0] === 'generate');
  expect(drawers.at(-1)?.told).toEqual(['generate', 'generate']);
  // What waited warm has made room for training.
  expect(drawers.every(({ killed, told }) => killed || told.at(-1) === 'stop')).toBe(true);

  processes.at(-1)?.finish(drawn);
  await expect.poll(states).toEqual(['train done', 'generate done', 'generate done']);
});

it('opens a small model beforehand, for the pictures that follow; not while something computes', async () => {
  const { start, processes } = idleWorkers();
  studio = await openedStudio(path.join(scratch, 'library'), start);
  const { ask } = studio;
  await ask('generation.prepare', wanted);
  expect(processes.map(({ told }) => told)).toEqual([['prepare']]);
  await ask('generation.start', wanted);
  await ask('generation.prepare', wanted);
  expect(processes.map(({ told }) => told)).toEqual([['prepare', 'generate']]);
  processes[0]?.finish(undefined);
  await expect.poll(async () => (await ask('jobs.list', {}))[0]?.state).toBe('done');
  expect(processes[0]?.killed).toBe(false);
  await studio.close();
  studio = undefined;
  expect(processes[0]?.killed).toBe(true);
});

it('does not let training wait for the dry run of its subject', async () => {
  const { start, processes } = idleWorkers();
  studio = await openedStudio(path.join(scratch, 'dry-run'), start);
  const { ask } = studio;
  const { id: subjectId } = await ask('subjects.createSample', {});
  const { jobId } = await ask('training.measure', { subjectId, modelId: null });
  const run = await ask('training.start', { subjectId, modelId: null, preset: 'quick' });
  await expect
    .poll(() => ask('jobs.list', {}))
    .toMatchObject([
      { kind: 'train', runId: run.id, state: 'running' },
      { id: jobId, kind: 'measure', state: 'cancelled' },
    ]);
  expect(processes.map(({ told }) => told)).toEqual([['measure', 'stop'], ['train']]);
});
