import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import type { Measured } from '../../../src-main/storage/measurements.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { openedStudio } from './openedStudio.ts';
import { scriptedWorker } from './scriptedWorker.ts';

// A card whose memory the shipped model's training just exceeds.
vi.mock('../../../src-main/engine/runtime/graphicsDevice.ts', async (load) => ({
  ...(await load<object>()),
  graphicsDevices: () =>
    Promise.resolve([{ name: 'Test Card', driver: '1', memory: 720 * 2 ** 20, shared: false }]),
}));

const scratch = mkdtempSync(path.join(os.tmpdir(), 'likeness-room-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('goes down the ladder by the memory of the device, whose own word of being short is heard', async () => {
  const figures = { setup: 5, secondsPerStep: 2, secondsPerPicture: 3 };
  const outcomes: (Measured | 'short')[] = ['short', { ...figures, bytes: 2e8 }];
  const studio = await openedStudio(
    path.join(scratch, 'library'),
    scriptedWorker(() => {
      const outcome = outcomes.shift() ?? 'short';
      if (outcome !== 'short') return Promise.resolve(outcome);
      return Promise.reject(problem('provider.outOfMemory', { provider: 'webgpu' }));
    }),
  );
  const { ask } = studio;
  try {
    const { id: subjectId } = await ask('subjects.createSample', {});
    await ask('settings.update', { provider: 'webgpu' });
    const [before] = await ask('training.presets', { subjectId, modelId: null });
    expect(before).toMatchObject({
      ...{ measured: false, fits: true },
      settings: { precision: 'f16' },
      room: { device: 'Test Card' },
    });
    const first = before?.reductions ?? [];
    expect(first[0]).toBe('computes in 16 bits');
    await ask('training.measure', { subjectId, modelId: null });
    while (
      outcomes.length > 0 ||
      (await ask('jobs.list', {})).some(({ state }) => state === 'queued' || state === 'running')
    )
      await new Promise((resolve) => setTimeout(resolve, 10));
    const [after] = await ask('training.presets', { subjectId, modelId: null });
    expect(after).toMatchObject({
      ...{ measured: true, fits: true, memory: 2e8 },
    });
    // A rung for the dry run that was too much.
    expect(after?.reductions.slice(0, first.length)).toEqual(first);
    expect(after?.reductions).toHaveLength(first.length + 1);
    const failed = (await ask('jobs.list', {})).filter(({ state }) => state === 'failed');
    expect(failed.map(({ error }) => error?.code)).toEqual(['provider.outOfMemory']);

    // On the CPU the machine's memory counts.
    await ask('settings.update', { provider: 'cpu' });
    const [onCpu] = await ask('training.presets', { subjectId, modelId: null });
    expect(onCpu).toMatchObject({ reductions: [], room: { device: null, bytes: os.totalmem() * 0.85 } });
  } finally {
    await studio.close();
  }
});
