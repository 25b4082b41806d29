import { cpSync, mkdtempSync, rmSync } from 'node:fs';
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
