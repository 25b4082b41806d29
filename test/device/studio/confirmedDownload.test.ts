import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { ToWorker } from '../../../src-main/features/tasks.ts';
import { openedStudio } from './openedStudio.ts';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'likeness-confirmed-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('a download that was confirmed passes the locks, which stay shut for everything else', async () => {
  const told: ToWorker[] = [];
  const studio = await openedStudio(path.join(scratch, 'library'), () => ({
    send: (message) => told.push(message),
    onMessage: () => undefined,
    onExit: (ended) => setTimeout(() => ended('SIGKILL'), 50),
    kill: () => undefined,
  }));
  const { ask } = studio;
  const repository = 'segmind/tiny-sd';
  try {
    expect(await ask('settings.get', {})).toMatchObject({ offline: true, downloads: false });
    await expect(ask('models.download', { repository })).rejects.toThrow();
    expect(told).toEqual([]);
    await ask('models.download', { repository, confirmed: true });
    expect(told).toMatchObject([{ type: 'start', kind: 'download', online: true }]);
    expect(await ask('settings.get', {})).toMatchObject({ offline: true, downloads: false });
    await expect(ask('models.download', { repository })).rejects.toThrow();
  } finally {
    await studio.close();
  }
});

it('the shipped model says which places it knows, and they are in its own file', async () => {
  const studio = await openedStudio(path.join(scratch, 'places'));
  try {
    const [shipped] = await studio.ask('models.list', {});
    expect(shipped?.places).toContain('in the snow');
  } finally {
    await studio.close();
  }
});
