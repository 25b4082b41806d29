import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { whileLocked } from '../../../../src-main/engine/training/run/runLock.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'likeness-lock-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const inUse = { code: 'run.inUse' };
const done = () => Promise.resolve('done');

it('a run is for one at a time, whichever path leads to it, and free afterwards', async () => {
  const run = join(folder, 'run');
  symlinkSync(folder, join(folder, 'link'), 'junction');
  await whileLocked(run, async () => {
    await expect(whileLocked(run, done)).rejects.toMatchObject(inUse);
    await expect(whileLocked(join(folder, 'link/run'), done)).rejects.toMatchObject(inUse);
    expect(await whileLocked(join(folder, 'other'), done)).toBe('done');
  });
  expect(await whileLocked(run, done)).toBe('done');
  await expect(whileLocked(run, () => Promise.reject(new Error('a fault')))).rejects.toThrow('a fault');
  expect(await whileLocked(run, done)).toBe('done');
});

it('a process that is killed keeps no run', async () => {
  const run = join(folder, 'killed');
  const code = `
    import { whileLocked } from ${JSON.stringify(resolve('src-main/engine/training/run/runLock.ts'))};
    await whileLocked(${JSON.stringify(run)}, () => {
      process.stdout.write('held');
      return new Promise((end) => setTimeout(end, 600_000));
    });`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((held) => child.stdout.once('data', held));
  await expect(whileLocked(run, done)).rejects.toMatchObject(inUse);
  const ended = new Promise((end) => child.on('close', end));
  child.kill('SIGKILL');
  await ended;
  expect(await whileLocked(run, done)).toBe('done');
});
