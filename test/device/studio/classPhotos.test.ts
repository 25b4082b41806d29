import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Start } from '../../../src-main/features/tasks.ts';
import type { StartWorker } from '../../../src-main/jobs/workerProcess.ts';
import type { JobKind } from '../../../src-shared/domain/job.ts';
import { openedStudio } from './openedStudio.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-class-'));
const others = path.join(scratch, 'other bears');
const empty = path.join(scratch, 'empty');
beforeAll(async () => {
  for (const folder of [others, empty]) mkdirSync(folder);
  await sharp({ create: { width: 40, height: 34, channels: 3, background: 'teal' } }).toFile(
    path.join(others, '0.png'),
  );
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('a person’s own pictures of the class go into a run as on the command line, and stay with it', async () => {
  const started: Start<JobKind>[] = [];
  /** It dies before the run has a folder of its own. */
  const worker: StartWorker = () => {
    let ended: (why: string) => void = () => undefined;
    return {
      send: (message) => {
        if (message.type !== 'start') return;
        started.push(message);
        setTimeout(() => ended('signal SIGKILL'), 1);
      },
      onMessage: () => undefined,
      onExit: (listener) => (ended = listener),
      kill: () => undefined,
    };
  };
  const { ask, close } = await openedStudio(path.join(scratch, 'library'), worker);
  const settingsOf = async (runId: number, starts: number): Promise<unknown> => {
    while (started.length < starts || (await ask('training.run', { id: runId })).run.state !== 'failed')
      await new Promise((resolve) => setTimeout(resolve, 10));
    const { request } = started.at(-1)?.task as Extract<Start<'train'>['task'], { request: unknown }>;
    return request.settings;
  };
  const { id: subjectId } = await ask('subjects.createSample', {});
  const asked = { subjectId, modelId: null, preset: 'quick' } as const;

  await expect(ask('training.start', { ...asked, classPhotos: empty })).rejects.toThrow(
    `photos.noneOfClass: ${empty} has no pictures; put JPEG, PNG, WebP or HEIC pictures of other examples`,
  );
  const mug = await ask('subjects.create', { name: 'Mug', classNoun: 'mug', token: 'vkj' });
  await expect(
    ask('training.start', { ...asked, classPhotos: others, otherSubjectIds: [mug.id] }),
  ).rejects.toThrow('training.severalClasses');
  expect(await ask('training.runs', { subjectId })).toEqual([]);

  const run = await ask('training.start', { ...asked, classPhotos: others });
  const own = { classPhotos: others, prior: { weight: 1, classImages: 200 } };
  expect(await settingsOf(run.id, 1)).toMatchObject(own);
  await ask('training.resume', { id: run.id });
  expect(await settingsOf(run.id, 2)).toMatchObject(own);

  const few = await ask('training.start', {
    ...{ ...asked, classPhotos: others },
    changes: { prior: { classImages: 3 } },
  });
  expect(await settingsOf(few.id, 3)).toMatchObject({ classPhotos: others, prior: { classImages: 3 } });

  const without = await ask('training.start', asked);
  expect(await settingsOf(without.id, 4)).not.toHaveProperty('classPhotos');
  await close();
});
