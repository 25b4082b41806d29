import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { finetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import type { JobContext, JobEvent } from '../../../src-shared/domain/jobEvents.ts';
import { RunFolder } from '../../../src-main/engine/training/run/runFolder.ts';
import { untilBest } from '../../../src-main/features/score/untilBest.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-until-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A run of 8 steps with a checkpoint every 2, whose score is highest at step `best`. */
async function course(best: number, sampleEvery?: number) {
  const folder = mkdtempSync(path.join(scratch, 'run-'));
  const settings = completeSettings(
    finetuneSettings,
    { classNoun: 'dog', steps: 8, checkpointEvery: 2, ...(sampleEvery && { sampleEvery }) },
    { model: 'none', size: 64, replay: 'none' },
  );
  new RunFolder(folder).create({ kind: 'finetune', version: '0', createdAt: '', modelHash: '0', settings });
  const saved: number[] = [];
  const seen: string[] = [];
  let step = 0;
  const train = (context: JobContext): Promise<string> => {
    while (step < 8) {
      context.signal.throwIfAborted();
      step++;
      if (step % 2 === 0) {
        saved.push(step);
        context.report({ type: 'checkpoint', step, path: '' });
      }
      if (sampleEvery && step % sampleEvery === 0) {
        context.signal.throwIfAborted();
        context.report({ type: 'sample', step, path: '' });
      }
    }
    return Promise.resolve('whole');
  };
  const scoreRun = () =>
    Promise.resolve({
      pick: saved.reduce((a, b) => (Math.abs(b - best) < Math.abs(a - best) ? b : a)),
      why: `after ${saved.length}`,
      checkpoints: saved.map((one) => ({ step: one, reach: { balance: -Math.abs(one - best) } }) as never),
    });
  const report = (event: JobEvent) => void seen.push(event.type);
  const context = { report, signal: new AbortController().signal };
  return { ...(await untilBest(folder, async (inside) => train(inside), scoreRun, context)), saved, seen };
}

it('ends when two checkpoints did not beat the best', async () => {
  const { result, pick, why, saved } = await course(2);
  expect({ result, pick, why, saved }).toEqual({
    result: undefined,
    pick: 2,
    why: 'after 3',
    saved: [2, 4, 6],
  });
});

it('goes to the end while checkpoints get better', async () => {
  expect(await course(8)).toMatchObject({ result: 'whole', pick: 8, saved: [2, 4, 6, 8] });
});

it('waits for the sample of the same step, and is not stopped by others', async () => {
  const { saved, seen } = await course(2, 3);
  expect(saved).toEqual([2, 4, 6]);
  expect(seen.filter((type) => type === 'sample')).toHaveLength(2);
});

it('passes on what goes wrong', async () => {
  const context = { report: () => undefined, signal: new AbortController().signal };
  const failing = untilBest(
    scratch,
    () => Promise.reject(new Error('no disk')),
    () => Promise.reject(new Error()),
    context,
  );
  await expect(failing).rejects.toThrow('no disk');
});
