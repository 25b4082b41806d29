import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { StartWorker } from '../../../src-main/jobs/workerProcess.ts';
import type { Measured } from '../../../src-main/storage/measurements.ts';
import { openedStudio } from './openedStudio.ts';
import { scriptedWorker } from './scriptedWorker.ts';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'likeness-dry-run-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Workers of a machine that is short of memory: they end as the system ends them, or say what they took. */
const workers = (outcomes: (Measured | 'killed')[]): StartWorker =>
  scriptedWorker(() => {
    const outcome = outcomes.shift() ?? 'killed';
    return outcome === 'killed' ? Promise.reject(new Error(outcome)) : Promise.resolve(outcome);
  });

it('goes down the ladder until a dry run fits, and tells what that one took', async () => {
  const figures = { setup: 5, secondsPerStep: 2, secondsPerPicture: 3 };
  const outcomes: (Measured | 'killed')[] = [
    'killed',
    { ...figures, bytes: os.totalmem() },
    { ...figures, bytes: 1e9 },
  ];
  const studio = await openedStudio(path.join(scratch, 'library'), workers(outcomes));
  const { ask } = studio;
  try {
    const { id: subjectId } = await ask('subjects.createSample', {});
    const before = await ask('training.presets', { subjectId, modelId: null });
    expect(
      before.map(({ measured, fits, seconds, reductions }) => [measured, fits, seconds, reductions]),
    ).toEqual(Array.from({ length: 3 }, () => [false, true, null, []]));
    await ask('training.measure', { subjectId, modelId: null });
    while (
      outcomes.length > 0 ||
      (await ask('jobs.list', {})).some(({ state }) => state === 'queued' || state === 'running')
    )
      await new Promise((resolve) => setTimeout(resolve, 10));

    const [quick] = await ask('training.presets', { subjectId, modelId: null });
    expect(quick).toMatchObject({
      ...{ measured: true, fits: true, memory: 1e9 },
      reductions: ['computes blocks twice, which takes about a third longer', 'one photo at a time'],
      settings: { batch: 1, recompute: true },
    });
    const { steps = 0, sampleEvery } = quick?.settings ?? {};
    // A sample before the first step, too; and its loss is measured with four batches before and after.
    const secondsOf = (steps: number): number =>
      5 + 2 * steps + 3 * (1 + Math.ceil(steps / (sampleEvery ?? Infinity))) + 2 * 4 * 2;
    expect(quick).toMatchObject({ steps, seconds: secondsOf(steps) });
    const ofMore = { subjectId, modelId: null, changes: { steps: 4 * steps } };
    const [longer] = await ask('training.presets', ofMore);
    expect(longer).toMatchObject({
      ...{ steps: 4 * steps, seconds: secondsOf(4 * steps), measured: true },
      settings: quick?.settings,
    });
    const [larger] = await ask('training.presets', { ...ofMore, changes: { batch: 8 } });
    expect(larger).toMatchObject({ measured: false, seconds: null, settings: { batch: 1 } });
    expect(larger?.memory).not.toBe(1e9);
    await expect(ask('training.measure', { subjectId, modelId: null })).rejects.toThrow(
      /already been measured/,
    );
  } finally {
    await studio.close();
  }
});
