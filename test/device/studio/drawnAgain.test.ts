import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, it } from 'vitest';
import type { StartWorker } from '../../../src-main/jobs/workerProcess.ts';
import type { FromWorker } from '../../../src-shared/domain/workerMessages.ts';
import { openedStudio } from './openedStudio.ts';

const root = path.join(mkdtempSync(path.join(tmpdir(), 'likeness-again-')), 'library');
afterAll(() => rmSync(path.dirname(root), { recursive: true, force: true }));

/** What the next job draws: a square of one grey, and where. */
let next = { grey: 0, name: '' };
const at = (name: string): string => path.join(root, 'pictures', name);

const worker: StartWorker = () => {
  let heard: (message: FromWorker) => void = () => undefined;
  let ended: (why: string) => void = () => undefined;
  const draw = async (): Promise<void> => {
    mkdirSync(path.join(root, 'pictures'), { recursive: true });
    const background = { r: next.grey, g: next.grey, b: next.grey };
    const picture = sharp({ create: { width: 8, height: 8, channels: 3, background } });
    await picture.png().toFile(at(next.name));
    heard({ type: 'event', event: { type: 'picture', index: 0, path: at(next.name) } });
    heard({ type: 'done', result: {} });
    ended('exit status 0');
  };
  return {
    send: ({ type }) => {
      if (type === 'start') void draw();
    },
    onMessage: (listener) => (heard = listener),
    onExit: (listener) => (ended = listener),
    kill: () => undefined,
  };
};

it('a picture that is drawn again takes the place of the one whose file is gone; of one that is there it is no second', async () => {
  const { ask, close } = await openedStudio(root, worker);
  const draw = async (name: string, grey: number): Promise<void> => {
    next = { name, grey };
    const { jobId } = await ask('generation.start', {
      ...{ prompts: ['a square'], negative: '', modelId: null, mixes: [[]], seed: 1, count: 1, steps: 2 },
      ...{ guidance: 3, sampler: null, size: null },
    });
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
