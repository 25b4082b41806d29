import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Start } from '../../../src-main/features/tasks.ts';
import type { RunScore } from '../../../src-shared/domain/runScore.ts';
import { openedStudio } from './openedStudio.ts';
import { standInWorker } from './standInWorker.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-until-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const figure = { value: 0.5, low: 0.4, high: 0.6 };
const checkpoint = (step: number, fidelity: number): RunScore['checkpoints'][number] => ({
  ...{ step, path: '', figures: { 'subject (MobileNetV2)': figure } },
  reach: { fidelity, editability: 1 - fidelity, balance: 0.5 },
  memorization: { share: 0, threshold: 0.9, copies: [] },
});
const scores = {
  ...{ run: '', kind: 'object', prompts: ['a bear'], seeds: 1, withoutPrompt: null, base: {}, photos: {} },
  ...{
    fidelityBy: 'subject (MobileNetV2)',
    editabilityBy: 'variety',
    knee: 20,
    pick: 20,
    why: 'It is best.',
  },
  checkpoints: [checkpoint(10, 0.2), checkpoint(20, 0.6), checkpoint(30, 0.5), checkpoint(40, 0.4)],
  files: { scores: '', curve: '', contactSheet: '' },
} as const satisfies RunScore & { files: object };

it('a run that is to stop when it gets no better is told how to score, and keeps the figures, the pick and the knee', async () => {
  const { worker, started, finish } = standInWorker();
  const { ask, close } = await openedStudio(path.join(scratch, 'library'), worker);
  const waitFor = async (is: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const subject = await ask('subjects.createSample', {});
  const run = await ask('training.start', {
    ...{ subjectId: subject.id, modelId: null, preset: 'quick', until: 'best' },
  });
  await waitFor(() => started.length === 1);
  const task = started[0]?.task as Extract<Start<'train'>['task'], { request: unknown }>;
  expect(task.until).toMatchObject({ run: task.request.out, list: 'standard' });
  finish({ steps: 40, loss: 0.1, checkpoint: '', scores, endedEarly: true });
  await waitFor(async () => (await ask('training.run', { id: run.id })).run.state === 'done');

  expect((await ask('training.run', { id: run.id })).run).toMatchObject({ step: 40, pickedStep: 20 });
  const report = await ask('scores.get', { runId: run.id });
  expect(report?.pick).toEqual({ step: 20, reason: 'It is best.' });
  expect(report?.curve).toMatchObject({ knee: 20, points: [{ step: 10, fidelity: 0.2 }, {}, {}, {}] });
  await close();
});
