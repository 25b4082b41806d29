import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { pictures } from '../../pictureRequest.ts';
import { openedStudio } from './openedStudio.ts';
import { drawSquare, scriptedWorker } from './scriptedWorker.ts';

const root = path.join(mkdtempSync(path.join(tmpdir(), 'likeness-again-')), 'library');
afterAll(() => rmSync(path.dirname(root), { recursive: true, force: true }));

/** What the next job draws: a square of one grey, and where. */
let next = { grey: 0, name: '' };
const at = (name: string): string => path.join(root, 'pictures', name);

const worker = scriptedWorker(async (say) => {
  mkdirSync(path.join(root, 'pictures'), { recursive: true });
  await drawSquare(at(next.name), next.grey);
  say({ type: 'picture', index: 0, path: at(next.name) });
  return undefined;
});

it('a picture that is drawn again takes the place of the one whose file is gone; of one that is there it is no second', async () => {
  const { ask, close } = await openedStudio(root, worker);
  const draw = async (name: string, grey: number): Promise<void> => {
    next = { name, grey };
    const { jobId } = await ask('generation.start', pictures());
    const job = async () => (await ask('jobs.list', {})).find(({ id }) => id === jobId);
    while (!['done', 'failed'].includes((await job())?.state ?? ''))
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await job()).toMatchObject({ state: 'done', error: null });
  };
  const gallery = async (): Promise<string[]> =>
    (await ask('gallery.page', { filter: {} })).images.map(({ name }) => name);
  const lose = async (name: string): Promise<void> => {
    rmSync(at(name));
    await ask('library.rescan', {});
  };

  await draw('1.png', 10);
  await lose('1.png');
  expect(await gallery()).toEqual([]);
  await draw('1.png', 10);
  expect(await gallery()).toEqual(['1.png']);

  await lose('1.png');
  await draw('1.png', 20);
  expect(await gallery()).toEqual(['1.png']);

  await draw('2.png', 20);
  expect(await gallery()).toEqual(['1.png']);
  expect(existsSync(at('2.png'))).toBe(false);

  await lose('1.png');
  await draw('3.png', 20);
  expect(await gallery()).toEqual(['3.png']);
  await close();
});
