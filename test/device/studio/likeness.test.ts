import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, it } from 'vitest';
import type { StartWorker } from '../../../src-main/jobs/workerProcess.ts';
import type { FromWorker } from '../../../src-shared/domain/workerMessages.ts';
import { openedStudio } from './openedStudio.ts';

const root = path.join(mkdtempSync(path.join(tmpdir(), 'likeness-measured-')), 'library');
afterAll(() => rmSync(path.dirname(root), { recursive: true, force: true }));

/** Draws squares of one grey, and says that each looks more like the subject. */
const worker: StartWorker = () => {
  let heard: (message: FromWorker) => void = () => undefined;
  let ended: (why: string) => void = () => undefined;
  const draw = async (): Promise<void> => {
    mkdirSync(path.join(root, 'pictures'), { recursive: true });
    for (const index of [0, 1, 2]) {
      const file = path.join(root, 'pictures', `${index}.png`);
      const background = { r: 80 * index, g: 0, b: 0 };
      await sharp({ create: { width: 8, height: 8, channels: 3, background } })
        .png()
        .toFile(file);
      heard({ type: 'event', event: { type: 'picture', index, path: file } });
      heard({ type: 'event', event: { type: 'likeness', index, value: 0.2 + 0.3 * index } });
    }
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

it('pictures are found and ordered by their likeness once it was measured', async () => {
  const { ask, close, told } = await openedStudio(root, worker);
  await ask('generation.start', {
    ...{ prompts: ['a square'], negative: '', modelId: null, mixes: [[]], seed: 1, count: 3, steps: 2 },
    ...{ guidance: 3, sampler: null, size: null },
  });
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
