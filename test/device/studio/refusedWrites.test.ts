import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Job } from '../../../src-shared/domain/job.ts';
import type { JobHandling } from '../../../src-main/jobs/kind.ts';
import { JobQueue } from '../../../src-main/jobs/queue.ts';
import { nodeWorkers } from '../../../src-main/jobs/workerProcess.ts';
import { openDatabase } from '../../../src-main/storage/database.ts';
import { Jobs } from '../../../src-main/storage/jobs.ts';

let folder = '';
let db: Database;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'likeness-queue-'));
  ({ db } = openDatabase(path.join(folder, 'library.sqlite')));
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

/** As on a disk that is full or has turned read-only: SQLite refuses every write. */
const refuseWrites = (refuse: boolean): void => void db.pragma(`query_only = ${refuse ? 'ON' : 'OFF'}`);

/** A worker that gives back what it is told. */
function worker(): string {
  const file = path.join(folder, 'worker.mjs');
  writeFileSync(
    file,
    `process.on('message', ({ type, task }) => {
      if (type !== 'start') return;
      process.send({ type: 'event', event: { type: 'progress', done: 1, total: 2 } });
      process.send({ type: 'done', result: task }, () => process.exit(0));
    });`,
  );
  return file;
}

it('a job that ends when its end can not be written down is told as ended, holds up nothing, and is written down later', async () => {
  const jobs = new Jobs(db);
  const told: Job[] = [];
  let refuses = true;
  const runStates: string[] = [];
  const pictures: JobHandling<'generate'> = {
    task: () => ({ parts: [], total: 0, version: '' }),
    done: ({ id }) => {
      // As the tables of runs and pictures.
      jobs.change(id, { input: 'x'.repeat(100_000) });
    },
    changed: ({ state }) => {
      if (refuses) throw new Error('no room');
      runStates.push(state);
    },
  };
  const none = {
    task: (): never => {
      throw new Error('no such job');
    },
  };
  const others = { train: none, measure: none, score: none, influence: none, export: none, import: none };
  const models = { download: none, advise: none, compress: none, distill: none };
  const kinds = { ...others, ...models, evaluate: none, generate: pictures };
  const nothing = (): void => undefined;
  const events = {
    changed: (job: Job) => void told.push(job),
    progress: nothing,
    removed: nothing,
    socket: nothing,
  };
  const queue = new JobQueue(jobs, nodeWorkers(worker()), kinds, events, () => undefined);
  const ended = async (id: number, state: string): Promise<Job> => {
    for (;;) {
      const job = queue.list().find((one) => one.id === id);
      if (job?.state === state) return job;
      await wait(50);
    }
  };
  const first = queue.add({ kind: 'generate', title: 'first', input: 1 });
  const second = queue.add({ kind: 'generate', title: 'second', input: 2 });
  refuseWrites(true);

  expect((await ended(first.id, 'failed')).error?.code).toBe('library.unwritten');
  expect((await ended(second.id, 'failed')).error?.code).toBe('library.unwritten');
  expect(told.filter(({ state }) => state === 'failed')).toHaveLength(2);
  const stored = (): unknown[] => db.prepare('SELECT DISTINCT state FROM jobs').pluck().all();
  expect(stored()).not.toContain('failed');

  refuseWrites(false);
  refuses = false;
  while (JSON.stringify(stored()) !== '["failed"]') await wait(50);
  while (runStates.length < 2) await wait(50);
  expect(runStates).toEqual(['failed', 'failed']);

  queue.retry(first.id);
  expect(await ended(first.id, 'done')).toMatchObject({ error: null });
  await queue.close();
}, 120_000);
