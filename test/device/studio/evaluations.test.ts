import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { evaluateSet } from '../../../src-main/features/evaluation/set.ts';
import { evaluateSubject } from '../../../src-main/features/evaluation/subject.ts';
import type { DreamboothRequest } from '../../../src-main/features/dreambooth/request.ts';
import { shippedFiles } from '../../../src-main/shipped.ts';
import { perform } from '../../../src-main/worker/tasks.ts';
import type { Evaluation, EvaluationReport } from '../../../src-shared/domain/evaluation.ts';
import { openedStudio } from './openedStudio.ts';
import { scriptedWorker } from './scriptedWorker.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-evaluations-'));
process.env['LIKENESS_CACHE'] = path.join(scratch, 'cache');
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const { mobileNet } = shippedFiles().scorers;
const { signal } = new AbortController();
const sample = path.resolve('resources/sample-subject');

function photosIn(name: string, files: readonly string[]): string {
  const folder = path.join(scratch, name);
  mkdirSync(folder, { recursive: true });
  for (const file of files) cpSync(path.join(sample, file), path.join(folder, file));
  return folder;
}

const context = { report: (): void => undefined, signal };

it("measures a set and a subject's pictures as the command line does, asks for the protocol, and keeps the figures", async () => {
  const images = photosIn('some', ['00.jpg', '01.jpg', '02.jpg']);
  const reference = photosIn('others', ['02.jpg', '03.jpg', '04.jpg']);
  const root = path.join(scratch, 'library');
  const figures = { columns: ['DINO'], rows: [{ name: 'mean of 1 subject', values: [null] }] };
  let protocol: DreamboothRequest | undefined;
  const inProcess = scriptedWorker((report, start) => {
    const { task } = start;
    // It trains for minutes; what it does has tests of its own.
    if (!('dreambooth' in task)) return perform(start, { report, signal });
    protocol = task.dreambooth;
    mkdirSync(path.join(protocol.out, 'bear'), { recursive: true });
    return Promise.resolve(figures);
  });
  let studio = await openedStudio(root, inProcess);
  await studio.ask('settings.update', { provider: 'cpu' });
  const subject = await studio.ask('subjects.createSample', {});

  const measured = async (asked: Evaluation): Promise<EvaluationReport> => {
    const { jobId } = await studio.ask('evaluations.start', asked);
    const job = async () => (await studio.ask('jobs.list', {})).find(({ id }) => id === jobId);
    await expect.poll(async () => (await job())?.state, { timeout: 60_000 }).toBe('done');
    const [newest] = await studio.ask('evaluations.list', {});
    if (!newest) throw new Error('nothing was kept');
    return newest;
  };

  const set = await measured({ kind: 'set', images, reference, prompts: null, inception: null });
  const scores = await evaluateSet(
    { images, reference, resize: 'clean', mobileNet, provider: 'cpu' },
    context,
  );
  expect(set.name).toBe('Measuring some');
  expect(set.figures.rows).toEqual([
    { name: 'Fréchet distance (MobileNetV2)', values: [scores.mobileNet?.frechet, null] },
    { name: 'KID (MobileNetV2)', values: [scores.mobileNet?.kid, null] },
  ]);
  // Nobody types options here.
  expect(set.notes.length).toBeGreaterThan(0);
  expect(set.notes.join(' ')).not.toContain('--');

  const alike = await measured({ kind: 'subject', images, subjectId: subject.id, prompts: null });
  const photos = studio.library.folder.photos(studio.library.subjects.get(subject.id));
  const own = await evaluateSubject({ photos, images, mobileNet, provider: 'cpu' }, context);
  expect(alike.figures.rows).toEqual([{ name: 'MobileNetV2', values: [own.mobileNet] }]);

  const subjects = path.join(scratch, 'subjects');
  photosIn('subjects/bear', ['00.jpg', '01.jpg']);
  const model = await measured({
    ...{ kind: 'dreambooth', subjects, modelId: null, steps: 1, count: 1, drawSteps: 1 },
  });
  expect(model.figures).toEqual(figures);
  const made = studio.library.folder.at(model.path ?? '');
  expect(protocol).toMatchObject({
    ...{ subjects, out: made, count: 1, drawSteps: 1, mobileNet, provider: 'cpu' },
    settings: { steps: 1, provider: 'cpu' },
  });

  const missing = path.join(scratch, 'nowhere');
  await expect(
    studio.ask('evaluations.start', {
      kind: 'subject',
      images: missing,
      subjectId: subject.id,
      prompts: null,
    }),
  ).rejects.toThrow('file.missing');

  await studio.close();
  studio = await openedStudio(root);
  expect((await studio.ask('evaluations.list', {})).map(({ id }) => id)).toEqual([
    model.id,
    alike.id,
    set.id,
  ]);
  const { undo } = await studio.ask('evaluations.remove', { id: model.id });
  expect((await studio.ask('trash.list', {})).removals).toMatchObject([
    { kind: 'evaluations', name: model.name },
  ]);
  await studio.ask('trash.undo', { undo });
  expect(await studio.ask('evaluations.list', {})).toHaveLength(3);
  await studio.ask('evaluations.remove', { id: model.id });
  await studio.ask('trash.empty', {});
  expect(existsSync(made)).toBe(false);
  await studio.close();
});
