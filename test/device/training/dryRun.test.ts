import path from 'node:path';
import { expect, it } from 'vitest';
import { dryRun } from '../../../src-main/features/training/dryRun.ts';
import { shippedFiles } from '../../../src-main/shipped.ts';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';

const model = path.resolve(import.meta.dirname, '../../golden/fixtures/models/tiny-bk');

it('a dry run takes what a run takes, with one picture', { timeout: 240_000 }, async () => {
  const told: JobEvent[] = [];
  const { photos } = shippedFiles().sample;
  const begun = performance.now();
  const { setup, secondsPerStep, secondsPerPicture, bytes, gflops } = await dryRun(
    { settings: { model, photos, classNoun: 'potted plant', size: 32, prior: null, provider: 'cpu' } },
    { report: (event) => told.push(event), signal: new AbortController().signal },
    '0.0.0',
  );
  const whole = (performance.now() - begun) / 1000;
  const progress = told.filter((event) => event.type === 'progress');
  const of = (label: string) => progress.filter((event) => event.label === label).at(-1);
  expect(of('samples')).toMatchObject({ done: 1, total: 1 });
  expect(of('steps')).toMatchObject({ done: 4, total: 4 });
  expect(secondsPerStep).toBeGreaterThan(0);
  expect(secondsPerPicture).toBeGreaterThan(secondsPerStep);
  expect(setup + 4 * secondsPerStep + secondsPerPicture).toBeLessThan(whole);
  expect(bytes).toBeGreaterThan(5e7);
  expect(gflops).toBeGreaterThan(1);
});
