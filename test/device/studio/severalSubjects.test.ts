import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Start } from '../../../src-main/features/tasks.ts';
import type { Mixing, RunScore } from '../../../src-shared/domain/runScore.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import { pictures } from '../../pictureRequest.ts';
import { openedStudio, type OpenedStudio } from './openedStudio.ts';
import { standInWorker } from './standInWorker.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-beide ß-'));
const { worker, started, finish } = standInWorker();

let studio: OpenedStudio;
let bear: Subject;
let mug: Subject;
beforeAll(async () => {
  studio = await openedStudio(path.join(scratch, 'library'), worker);
  bear = await studio.ask('subjects.createSample', {});
  mug = await studio.ask('subjects.create', { name: 'Mug', classNoun: 'mug', token: 'ohwx' });
  const photo = path.resolve('resources/sample-subject/01.jpg');
  await studio.ask('photos.addPaths', { subjectId: mug.id, paths: [photo] });
});
afterAll(async () => {
  await studio.close();
  rmSync(scratch, { recursive: true, force: true });
});

const waitFor = async (is: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 10));
};
const figure = { value: 0.5, low: 0.4, high: 0.6 };
const mixing = (name: string): Mixing => ({ own: figure, others: [{ name, likeness: figure }], mixed: 0.25 });

it('two subjects learnt in one run: photos of both, twice the steps, and figures of how they are kept apart', async () => {
  const asked = { subjectId: bear.id, modelId: null };
  const alone = await studio.ask('training.presets', asked);
  const both = await studio.ask('training.presets', { ...asked, otherSubjectIds: [mug.id] });
  expect(both.map(({ steps }) => steps)).toEqual(alone.map(({ steps }) => 2 * steps));

  const run = await studio.ask('training.start', {
    ...{ ...asked, otherSubjectIds: [mug.id], preset: 'quick' },
  });
  expect(run.settings.otherSubjects).toEqual([{ classNoun: 'mug', token: 'ohwx' }]);
  expect(run.name).toContain('+ Mug');
  await waitFor(() => started.length === 1);
  const { request } = started[0]?.task as Extract<Start<'train'>['task'], { request: unknown }>;
  const [other] = request.settings.otherSubjects ?? [];
  expect(other).toMatchObject({ classNoun: 'mug', token: 'ohwx' });
  expect(readdirSync(request.settings.photos ?? '').length).toBeGreaterThan(3);
  expect(readdirSync(other?.photos ?? '')).toHaveLength(1);
  expect(existsSync(path.join(request.out, 'photos', 'subject 2'))).toBe(true);

  finish({ steps: run.settings.steps, loss: 0.1, checkpoint: '' });
  await waitFor(async () => (await studio.ask('training.run', { id: run.id })).run.state === 'done');
  studio.library.checkpoints.add(run.id, 10);

  const part = (name: string, of: string) => ({
    ...{ name, kind: 'object' as const, prompts: [] },
    base: { figures: {}, mixing: mixing(of) },
    photos: { figures: {}, mixing: mixing(of) },
    checkpoints: [
      {
        ...{ step: 10, figures: {}, mixing: mixing(of) },
        reach: { fidelity: 0.5, editability: 0.5, balance: 0.5 },
        memorization: { share: 0, threshold: 0.9, copies: [] },
      },
    ],
  });
  const [checkpoint] = part('', '').checkpoints;
  const scores = {
    ...{ run: '', kind: 'object', prompts: [], seeds: 1, withoutPrompt: null, base: {}, photos: {} },
    ...{ fidelityBy: 'subject', editabilityBy: 'variety', knee: 10, pick: 10, why: 'It is the one.' },
    checkpoints: checkpoint ? [{ ...checkpoint, path: '' }] : [],
    subjects: [part('sks bear', 'ohwx mug'), part('ohwx mug', 'sks bear')],
    files: { scores: '', curve: '', contactSheet: '' },
  } as const satisfies RunScore & { files: object };
  await studio.ask('scores.start', { runId: run.id, list: 'standard' });
  await waitFor(() => started.length === 2);
  finish(scores);
  await waitFor(async () => (await studio.ask('scores.get', { runId: run.id })) !== null);
  const report = await studio.ask('scores.get', { runId: run.id });
  expect(report?.subjects.map(({ name }) => name)).toEqual(['sks bear', 'ohwx mug']);
  expect(report?.subjects[0]?.checkpoints).toEqual([
    { step: 10, apart: { own: figure, others: [{ name: 'ohwx mug', likeness: figure }], mixed: 0.25 } },
  ]);

  // Pictures of the second subject are compared with its own photos; those of both in one picture, with none.
  const draw = async (prompt: string): Promise<string | undefined> => {
    const before = started.length;
    const mixes = [[{ runId: run.id, step: null, weight: 1 }]];
    await studio.ask('generation.start', pictures({ prompts: [prompt], mixes }));
    await waitFor(() => started.length > before);
    const task = started.at(-1)?.task as Start<'generate'>['task'];
    finish(undefined);
    const [first] = task.parts;
    return first && 'likeness' in first ? first.likeness.photos : undefined;
  };
  expect(await draw('a photo of ohwx mug')).toMatch(/subject 2$/);
  expect(await draw(`${bear.token} ${bear.classNoun} beside a ohwx mug`)).toBeUndefined();
});

it('a word alone is learnt without class pictures, whatever the preset says', async () => {
  const before = started.length;
  const run = await studio.ask('training.start', {
    ...{ subjectId: mug.id, modelId: null, preset: 'quick' },
    changes: { method: 'embedding', prior: { weight: 1 } },
  });
  expect(run.settings).toMatchObject({ method: 'embedding', prior: null, embedding: { vectors: 1 } });
  await waitFor(() => started.length > before);
  const { request } = started.at(-1)?.task as Extract<Start<'train'>['task'], { request: unknown }>;
  expect(request.settings).toMatchObject({ method: 'embedding', prior: null });
  finish({ steps: 1, loss: 0.1, checkpoint: '' });
  await waitFor(async () => (await studio.ask('training.run', { id: run.id })).run.state === 'done');
});

it('subjects with the same word in prompts are refused', async () => {
  const twin = await studio.ask('subjects.create', { name: 'Cup', classNoun: 'cup', token: bear.token });
  const asked = { subjectId: bear.id, modelId: null, preset: 'quick' } as const;
  await expect(studio.ask('training.start', { ...asked, otherSubjectIds: [twin.id] })).rejects.toThrow(
    /training.sameToken/,
  );
  const none = await studio.ask('subjects.create', { name: 'Lamp', classNoun: 'lamp' });
  await expect(studio.ask('training.start', { ...asked, otherSubjectIds: [none.id] })).rejects.toThrow(
    /photos.tooFew/,
  );
});
