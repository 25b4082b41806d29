import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { pictures } from '../../pictureRequest.ts';
import { openedStudio } from './openedStudio.ts';
import { drawSquare, scriptedWorker } from './scriptedWorker.ts';

const root = path.join(mkdtempSync(path.join(tmpdir(), 'likeness-measured-')), 'library');
afterAll(() => rmSync(path.dirname(root), { recursive: true, force: true }));

/** Draws squares of one grey, and says that each looks more like the subject. */
const worker = scriptedWorker(async (say) => {
  mkdirSync(path.join(root, 'pictures'), { recursive: true });
  for (const index of [0, 1, 2]) {
    const file = path.join(root, 'pictures', `${index}.png`);
    await drawSquare(file, 80 * index);
    say({ type: 'picture', index, path: file });
    say({ type: 'likeness', index, value: 0.2 + 0.3 * index });
  }
  return undefined;
});

it('pictures are found and ordered by their likeness once it was measured', async () => {
  const { ask, close, told } = await openedStudio(root, worker);
  await ask('generation.start', pictures({ count: 3 }));
  while ((await ask('jobs.list', {}))[0]?.state !== 'done')
    await new Promise((resolve) => setTimeout(resolve, 10));
  const { images } = await ask('gallery.page', { filter: { minScore: 0.4 }, order: 'score' });
  expect(images.map(({ name, score }) => [name, score])).toEqual([
    ['2.png', 0.8],
    ['1.png', 0.5],
  ]);
  expect(told.filter((event) => event === 'gallery.changed')).toHaveLength(3);
  await close();
});
