import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Served } from '../../src-main/serve.ts';
import { pictures } from '../pictureRequest.ts';
import { buildStudio, Client, newLibrary, removeLibraries, serveLibrary } from './served.ts';

/** Small and of random weights: what is asked is what the studio says and keeps, not what it draws. */
const model = path.resolve(import.meta.dirname, '../golden/fixtures/models/tiny-bk');
/** A small disk of its own; nothing where this process may not mount one. */
const disk = mkdtempSync(path.join(tmpdir(), 'likeness-disk-'));
const mounted =
  process.platform === 'linux' && tried('mount', '-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk);

function tried(command: string, ...words: string[]): boolean {
  try {
    execFileSync(command, words, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const open: { studio: Served; client: Client }[] = [];
async function opened(folder: string): Promise<Client> {
  const studio = await serveLibrary(folder);
  const client = await Client.open(studio.url);
  open.push({ studio, client });
  return client;
}
async function closeAll(): Promise<void> {
  for (const { studio, client } of open.splice(0)) {
    client.close();
    await studio.close();
  }
}

beforeAll(buildStudio, 600_000);
afterEach(closeAll, 120_000);
afterAll(() => {
  if (mounted) tried('umount', '-l', disk);
  rmSync(disk, { recursive: true, force: true });
  removeLibraries();
});

async function importTiny(client: Client): Promise<number> {
  const { jobId } = await client.ask('models.import', { path: model });
  expect(await client.ended(jobId)).toMatchObject({ state: 'done', error: null });
  return (await client.ask('models.list', {})).find(({ source }) => source === 'linked')?.id ?? 0;
}
const shortRun = (subjectId: number, modelId: number, steps = 4) => ({
  ...{ subjectId, modelId, preset: 'quick' as const },
  changes: { steps, checkpointEvery: steps / 2, sampleEvery: null, prior: null, size: 32 },
});
const notices = async (client: Client): Promise<string[]> =>
  (await client.ask('library.get', {})).notices.map(({ code }) => code);

it.skipIf(!mounted)(
  'a disk that is full is a sentence and a way on: nothing breaks, and what was asked for is made when there is room',
  { timeout: 900_000 },
  async () => {
    const client = await opened(path.join(disk, 'library'));
    const modelId = await importTiny(client);
    const { id: subjectId } = await client.ask('subjects.createSample', {});
    const free = (): number => {
      const { bavail, bsize } = statfsSync(disk);
      return bavail * bsize;
    };
    const leave = (bytes: number): void => {
      rmSync(path.join(disk, 'filler'), { force: true });
      writeFileSync(path.join(disk, 'filler'), Buffer.alloc(Math.max(0, free() - bytes)));
    };
    leave(100_000);
    expect(await notices(client)).toContain('library.lowDisk');

    const large = path.join(path.dirname(newLibrary()), 'large.png');
    await sharp(path.resolve('resources/sample-subject/00.jpg')).resize(900).png().toFile(large);
    const { added, refused } = await client.ask('photos.addPaths', { subjectId, paths: [large] });
    expect(added).toEqual([]);
    expect(refused[0]?.problem.message).toMatch(/full; free some space/);

    // Writing fails where it must, and each time with the same sentence.
    leave(0);
    const codes = new Set<string>();
    for (let i = 0; i < 40; i++) {
      const reply = await client.call('projects.create', { name: `Project ${i} ${'x'.repeat(60)}` });
      if (!reply.ok) codes.add(reply.error.code);
    }
    expect([...codes]).toEqual(['library.diskFull']);

    /** Asks for a job with as little room as it can be begun in, and leaves too little for what it makes. */
    const begun = async <T>(start: () => Promise<T>): Promise<T> => {
      for (let room = 20_000; ; room += 20_000) {
        leave(room);
        const started = await start().catch((error: unknown) => {
          expect(String(error)).toMatch(/full; free some space/);
          return undefined;
        });
        leave(Math.min(room, 60_000));
        if (started !== undefined) return started;
      }
    };
    const drawing = await begun(() =>
      client.ask('generation.start', pictures({ modelId, count: 24, steps: 4 })),
    );
    expect(await client.ended(drawing.jobId)).toMatchObject({
      state: 'failed',
      error: { message: expect.stringMatching(/full; free some space/) as string },
    });
    const run = await begun(() => client.ask('training.start', shortRun(subjectId, modelId)));
    const trained = await client.ended(run.jobId ?? 0);
    expect(trained).toMatchObject({
      state: 'failed',
      error: { message: expect.stringMatching(/full; free some space/) as string },
    });

    rmSync(path.join(disk, 'filler'));
    for (const id of [drawing.jobId, run.jobId ?? 0]) {
      await client.ask('jobs.retry', { id });
      expect(await client.ended(id)).toMatchObject({ state: 'done', error: null });
    }
    expect(await client.ask('gallery.ids', {})).toHaveLength(24);
    expect((await client.ask('training.run', { id: run.id })).run).toMatchObject({ state: 'done', step: 4 });
    expect(await client.ask('photos.list', { subjectId })).toMatchObject({ report: { ready: true } });
  },
);

it.skipIf(!mounted)(
  'a library on a read-only disk is told with what to do, and opens when it can be written to',
  { timeout: 600_000 },
  async () => {
    const library = path.join(disk, 'library');
    await opened(library);
    // A log that a process left that was killed: with it SQLite opens what it may only read.
    const logs = ['wal', 'shm'].map((kind) => path.join(library, `library.sqlite-${kind}`));
    for (const log of logs) copyFileSync(log, `${log}.kept`);
    await closeAll();
    for (const log of logs) renameSync(`${log}.kept`, log);
    expect(tried('mount', '-o', 'remount,ro', disk)).toBe(true);
    try {
      await expect(opened(library)).rejects.toThrow(
        /can't be used as a library.*check that it exists, that you may write/,
      );
    } finally {
      tried('mount', '-o', 'remount,rw', disk);
    }
    expect((await (await opened(library)).ask('projects.list', {})).length).toBeGreaterThan(0);
  },
);

it(
  'a folder that is moved away under running jobs fails them with a sentence; back again, they go on',
  { timeout: 600_000 },
  async () => {
    const library = newLibrary();
    const client = await opened(library);
    const modelId = await importTiny(client);
    const { id: subjectId } = await client.ask('subjects.createSample', {});
    const away = `${library}-away`;
    const movedAwayUnder = async (jobId: number, isUnderWay: () => boolean): Promise<void> => {
      while (!isUnderWay()) await wait(20);
      renameSync(library, away);
      expect(await client.ended(jobId)).toMatchObject({
        state: 'failed',
        error: { code: 'library.movedAway', message: expect.stringMatching(/put it back/) as string },
      });
      expect(await notices(client)).toContain('library.movedAway');
      const { jobId: other } = await client.ask('generation.start', pictures({ modelId }));
      expect(await client.ended(other)).toMatchObject({ error: { code: 'library.movedAway' } });
      // Nothing was made in its place: it can be brought back.
      expect(existsSync(library)).toBe(false);
      renameSync(away, library);
      await client.ask('jobs.retry', { id: jobId });
      expect(await client.ended(jobId)).toMatchObject({ state: 'done', error: null });
    };

    const run = await client.ask('training.start', shortRun(subjectId, modelId, 60));
    await movedAwayUnder(run.jobId ?? 0, () => client.events('training.step').length > 0);
    expect((await client.ask('training.run', { id: run.id })).run).toMatchObject({
      state: 'done',
      step: 60,
    });

    const { jobId } = await client.ask('generation.start', pictures({ modelId, count: 40, steps: 20 }));
    await movedAwayUnder(jobId, () => client.events('generation.image').length > 0);
    expect(await client.ask('gallery.ids', {})).toHaveLength(40);
  },
);

it(
  'photos that are deleted during training do not touch the run, and are told',
  { timeout: 600_000 },
  async () => {
    const library = newLibrary();
    const client = await opened(library);
    const modelId = await importTiny(client);
    const subject = await client.ask('subjects.createSample', {});
    const run = await client.ask('training.start', shortRun(subject.id, modelId));
    const photos = path.join(library, subject.folder, 'photos');
    rmSync(photos, { recursive: true });
    mkdirSync(photos);
    expect(await client.ended(run.jobId ?? 0)).toMatchObject({ state: 'done', error: null });
    expect(await client.ask('library.rescan', {})).toMatchObject({ missing: 5 });
    const { photos: listed, report } = await client.ask('photos.list', { subjectId: subject.id });
    expect(listed.every(({ missing }) => missing)).toBe(true);
    expect(report.ready).toBe(false);
  },
);
