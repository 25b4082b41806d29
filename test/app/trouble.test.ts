import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Served } from '../../src-main/serve.ts';
import { buildStudio, Client, removeLibraries, serveLibrary } from './served.ts';

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
afterAll(async () => {
  await closeAll();
  if (mounted) tried('umount', disk);
  rmSync(disk, { recursive: true, force: true });
  removeLibraries();
});

const pictures = (count: number) => ({
  ...{ prompts: ['a red ball'], negative: '', modelId: null, mixes: [[]], seed: 1, count, steps: 4 },
  ...{ guidance: 3, sampler: null, size: null },
});
const notices = async (client: Client): Promise<string[]> =>
  (await client.ask('library.get', {})).notices.map(({ code }) => code);

it.skipIf(!mounted)(
  'a disk that is full is a sentence and a way on: nothing breaks, and what was asked for is made when there is room',
  async () => {
    const client = await opened(path.join(disk, 'library'));
    const { id: subjectId } = await client.ask('subjects.createSample', {});
    const filler = path.join(disk, 'filler');
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(filler, Buffer.alloc(bavail * bsize - 64 * 1024));
    expect(await notices(client)).toContain('library.lowDisk');

    const photo = path.resolve('resources/sample-subject/00.jpg');
    const large = path.join(disk, '..', `${path.basename(disk)}.png`);
    execFileSync(process.execPath, [
      '-e',
      `require('sharp')(${JSON.stringify(photo)}).resize(900).png().toFile(${JSON.stringify(large)})`,
    ]);
    const { added, refused } = await client.ask('photos.addPaths', { subjectId, paths: [large] });
    expect(added).toEqual([]);
    expect(refused[0]?.problem.message).toMatch(/full; make room/);
    rmSync(large);
    writeFileSync(path.join(disk, 'last'), Buffer.alloc(statfsSync(disk).bavail * bsize));

    // Writing fails where it must, and each time with the same sentence.
    const codes = new Set<string>();
    for (let i = 0; i < 40; i++) {
      const reply = await client.call('projects.create', { name: `Project ${i} ${'x'.repeat(60)}` });
      if (!reply.ok) codes.add(reply.error.code);
    }
    expect([...codes]).toEqual(['library.diskFull']);
    rmSync(path.join(disk, 'last'));

    const { jobId } = await client.ask('generation.start', pictures(8));
    const failed = await client.ended(jobId);
    expect(failed.state).toBe('failed');
    expect(failed.error?.message).toMatch(/full; make room/);

    rmSync(filler);
    await client.ask('jobs.retry', { id: jobId });
    expect(await client.ended(jobId)).toMatchObject({ state: 'done', error: null });
    expect(await client.ask('gallery.ids', {})).toHaveLength(8);
    expect(await client.ask('photos.list', { subjectId })).toMatchObject({ report: { ready: true } });
    await closeAll();
  },
  600_000,
);

it.skipIf(!mounted)(
  'a library on a read-only disk is told with what to do, and opens when it can be written to',
  { timeout: 600_000 },
  async () => {
    const library = path.join(disk, 'library');
    await opened(library);
    await closeAll();
    expect(tried('mount', '-o', 'remount,ro', disk)).toBe(true);
    try {
      await expect(opened(library)).rejects.toThrow(
        /can't be used as a library.*check that it is there, that you may write/,
      );
    } finally {
      tried('mount', '-o', 'remount,rw', disk);
    }
    expect((await (await opened(library)).ask('projects.list', {})).length).toBeGreaterThan(0);
    await closeAll();
  },
);
