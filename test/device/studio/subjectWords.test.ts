import { mkdtempSync, rmSync } from 'node:fs';
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
  // The included model's tokenizer has no such word.
  expect(nouns).not.toContain('woman');
  await studio.close();
});
