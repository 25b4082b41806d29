import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openedStudio } from './openedStudio.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-words-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('each subject has a token of its own, and nouns are words that the model knows', async () => {
  const studio = await openedStudio(path.join(scratch, 'library'));
  const first = await studio.ask('subjects.create', { name: 'Rex' });
  const sample = await studio.ask('subjects.createSample', {});
  const more = [];
  for (let i = 0; i < 25; i++) more.push(await studio.ask('subjects.create', { name: `Cat ${i}` }));
  expect(first.token).toBe('sks');
  const tokens = [first, sample, ...more].map(({ token }) => token);
  expect(new Set(tokens).size).toBe(tokens.length);

  const nouns = await studio.ask('subjects.nouns', {});
  expect(nouns).toEqual(expect.arrayContaining(['dog', 'cat', 'teddy bear', 'mug']));
  // Only the list in the included model's likeness.json has it.
  expect(nouns).toContain('traffic cone');
  // The included model knows no such word.
  expect(nouns).not.toContain('woman');
  await studio.close();
});

it("a folder named for kohya's trainer gives a subject without a class its class and token", async () => {
  const studio = await openedStudio(path.join(scratch, 'kohya'));
  const folder = path.join(scratch, '10_ohwx fluffy dog');
  cpSync(path.resolve('test/golden/fixtures/photos'), folder, { recursive: true });
  const add = async (name: string, classNoun = ''): Promise<object> => {
    const { id: subjectId } = await studio.ask('subjects.create', { name, classNoun });
    const { added } = await studio.ask('photos.addPaths', { subjectId, paths: [folder] });
    expect(added.length).toBeGreaterThan(3);
    return studio.ask('subjects.get', { id: subjectId });
  };
  expect(await add('Rex')).toMatchObject({ classNoun: 'fluffy dog', token: 'ohwx' });
  expect(await add('Mia', 'cat')).toMatchObject({ classNoun: 'cat' });
  await studio.close();
});

it('a folder above the photos is refused with their place, and not passed over', async () => {
  const studio = await openedStudio(path.join(scratch, 'above'));
  const project = path.join(scratch, 'project');
  const inside = path.join(project, 'img', '10_sks dog');
  cpSync(path.resolve('test/golden/fixtures/photos'), inside, { recursive: true });
  const { id: subjectId } = await studio.ask('subjects.create', { name: 'Rex' });
  const { added, refused } = await studio.ask('photos.addPaths', { subjectId, paths: [project] });
  expect(added).toEqual([]);
  expect(refused).toMatchObject([{ name: 'project', problem: { code: 'photos.kohya' } }]);
  expect(refused[0]?.problem.message).toMatch(/img.10_sks dog.*choose that folder/);
  writeFileSync(path.join(inside, '.IMG_1.HEIC.icloud'), '');
  const some = await studio.ask('photos.addPaths', { subjectId, paths: [inside] });
  expect(some.added).not.toEqual([]);
  expect(some.refused).toMatchObject([{ name: 'IMG_1.HEIC', problem: { code: 'photos.inCloud' } }]);
  await studio.close();
});
