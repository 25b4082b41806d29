import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { openedStudio } from './openedStudio.ts';

it('a sample whose making was cut off among its photos is whole after the next try; two tries at once make one', async () => {
  const root = path.join(mkdtempSync(path.join(tmpdir(), 'likeness-sample-')), 'library');
  const { ask, close, library } = await openedStudio(root);
  // As a process that ended behind the first of its steps leaves it.
  const folder = library.folder.claim('subjects', 'Sample');
  const { id } = library.subjects.create({
    projectId: library.projects.list()[0]?.id ?? 1,
    ...{ name: 'Sample', classNoun: 'potted plant', token: 'sks', folder, sample: true },
  });
  const made = await Promise.all([ask('subjects.createSample', {}), ask('subjects.createSample', {})]);
  expect(made.map((subject) => subject.id)).toEqual([id, id]);
  expect((await ask('photos.list', { subjectId: id })).photos).toHaveLength(5);
  await ask('subjects.createSample', {});
  expect((await ask('photos.list', { subjectId: id })).photos).toHaveLength(5);
  expect(await ask('subjects.list', {})).toHaveLength(1);
  await close();
  rmSync(path.dirname(root), { recursive: true, force: true });
});
