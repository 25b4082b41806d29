import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { InfluenceReport, PhotoInfluence } from '../../../src-shared/domain/photoInfluence.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import type { InfluenceResult } from '../../../src-main/features/influence/influence.ts';
import { openedStudio, type OpenedStudio } from './openedStudio.ts';
import { standInWorker } from './standInWorker.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-schadet ß-'));
const { worker, started, finish } = standInWorker();

let studio: OpenedStudio;
let bear: Subject;
beforeAll(async () => {
  studio = await openedStudio(path.join(scratch, 'library'), worker);
  bear = await studio.ask('subjects.createSample', {});
});
afterAll(async () => {
  await studio.close();
  rmSync(scratch, { recursive: true, force: true });
});

const waitFor = async (is: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 10));
};

it('which photo hurts: what it takes before it is started, then each photo with its picture', async () => {
  const { id: runId } = await studio.ask('training.start', {
    ...{ subjectId: bear.id, modelId: null, preset: 'quick' },
  });
  await waitFor(() => started.length === 1);
  expect(await studio.ask('influence.get', { runId })).toEqual({ report: null, cost: null });
  finish({ steps: 1, loss: 0.1, checkpoint: '' });
  await waitFor(async () => (await studio.ask('training.run', { id: runId })).run.state === 'done');

  const run = studio.library.folder.at(studio.library.runs.get(runId).folder);
  const { settings } = studio.library.runs.get(runId);
  const about = { kind: 'finetune', version: '1', createdAt: '', modelHash: '' };
  const inFolder = { ...settings, model: 'somewhere', provider: 'cpu' };
  writeFileSync(path.join(run, 'run.json'), JSON.stringify({ ...about, settings: inFolder }));
  writeFileSync(path.join(run, 'log.jsonl'), '{"type":"step","step":1,"loss":1,"seconds":2}\n');
  const { photos } = await studio.ask('photos.list', { subjectId: bear.id });
  const { cost } = await studio.ask('influence.get', { runId });
  expect(cost).toMatchObject({ runs: photos.length + 1, steps: 60 });
  // Two seconds a step, and looking at the photos besides.
  expect(cost?.seconds).toBeGreaterThan(2 * 60 * (photos.length + 1));

  const { jobId } = await studio.ask('influence.start', { runId });
  await waitFor(() => started.length === 2);
  expect(started[1]).toMatchObject({ kind: 'influence', task: { run, noises: 16 } });

  const one = (name: string): PhotoInfluence => ({
    ...{ name, subject: 'sks teddy bear', verdict: 'little', message: `${name} makes no clear difference.` },
    betterWithout: { value: 0, low: -0.1, high: 0.1 },
    ...{ fromOthers: null, background: null, errors: { base: 1, all: 0.5, without: 0.5 } },
  });
  const [known] = photos;
  if (!known) throw new Error('the sample has photos');
  const subject = `${settings.token} ${settings.classNoun}`;
  const cropped = `${path.parse(known.name).name}.png`;
  const report: InfluenceReport = {
    ...{ steps: 60, noises: 16 },
    photos: [
      { ...one(cropped), subject },
      { ...one('gone.jpg'), subject },
    ],
  };
  mkdirSync(path.join(run, 'influence'));
  const file = path.join(run, 'influence', 'influence.json');
  writeFileSync(file, JSON.stringify(report));
  finish({ run, path: file, ...report } satisfies InfluenceResult);
  await waitFor(
    async () => (await studio.ask('jobs.list', {})).find(({ id }) => id === jobId)?.state === 'done',
  );
  expect(studio.told).toContain('influence.changed');
  const found = await studio.ask('influence.get', { runId });
  expect(found.report?.photos.map(({ name, photo }) => [name, photo])).toEqual([
    [cropped, { id: known.id, subjectId: bear.id }],
    ['gone.jpg', null],
  ]);

  // A report that was cut off is measured anew.
  writeFileSync(file, JSON.stringify(report).slice(0, 40));
  expect((await studio.ask('influence.get', { runId })).report).toBeNull();
});
