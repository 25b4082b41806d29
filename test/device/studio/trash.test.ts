import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openedStudio } from './openedStudio.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-trash-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('what was removed is listed, survives a restart, comes back whole, and leaves when the trash is emptied', async () => {
  const root = path.join(scratch, 'library');
  const first = await openedStudio(root);
  await first.ask('library.rescan', {});
  const subject = await first.ask('subjects.createSample', {});
  const { photos } = await first.ask('photos.list', { subjectId: subject.id });
  const removed = photos.slice(0, 2);
  await first.ask('photos.remove', { ids: removed.map(({ id }) => id) });
  await first.close();

  const second = await openedStudio(root);
  const { removals, items } = await second.ask('trash.list', {});
  expect(items).toBe(2);
  expect(removals).toMatchObject([{ kind: 'photos', count: 2 }]);
  const [{ undo } = { undo: '' }] = removals;
  await second.ask('trash.undo', { undo });
  const { photos: back } = await second.ask('photos.list', { subjectId: subject.id });
  expect(back.map(({ name }) => name).sort()).toEqual(photos.map(({ name }) => name).sort());
  expect((await second.ask('trash.list', {})).removals).toEqual([]);

  const folder = second.library.folder.at(subject.folder);
  await second.ask('subjects.remove', { id: subject.id });
  expect((await second.ask('trash.list', {})).removals).toMatchObject([
    { kind: 'subjects', name: subject.name, count: 1 },
  ]);
  expect(existsSync(folder)).toBe(true);
  await second.ask('trash.empty', {});
  expect(existsSync(folder)).toBe(false);
  expect(await second.ask('trash.list', {})).toEqual({ removals: [], items: 0 });
  await second.close();
});
