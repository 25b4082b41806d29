import { cpSync, mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { JobEvent } from '../../../../src-shared/domain/jobEvents.ts';
import { openModel } from '../../../../src-main/engine/checkpoints/openModel.ts';
import { TorchGenerator } from '../../../../src-main/engine/tensor/random.ts';
import { square } from '../../../../src-main/engine/training/data/aspectBuckets.ts';
import { LatentCache } from '../../../../src-main/engine/training/data/latentCache.ts';
import type { Posterior } from '../../../../src-main/engine/training/data/posteriors.ts';

const model = openModel(resolve('test/golden/fixtures/models/tiny-sd1'));
const scratch = mkdtempSync(join(tmpdir(), 'likeness-latents-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const size = 16;
const pictures = [1, 2, 1, 3].map((seed) => new TorchGenerator(seed).randn([3, size, size]));

/** The posteriors, and how many were made for them: those that were told one by one. */
async function posteriors(
  cache: string,
  signal = new AbortController().signal,
): Promise<{ read: Posterior[]; done: number[] }> {
  const done: number[] = [];
  const report = (event: JobEvent): void => {
    if (event.type === 'progress') done.push(event.done);
  };
  const kept = await LatentCache.open(model, { frame: square(size), provider: 'cpu', cache });
  return { read: await kept.posteriors(pictures, 'reading', { report, signal }), done };
}

const filesOf = (cache: string): string[] =>
  readdirSync(join(cache, 'latents'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.safetensors'))
    .map((name) => join(cache, 'latents', name));

it('a second run reads what the first has encoded, to the bit', async () => {
  const cache = join(scratch, 'twice');
  const first = await posteriors(cache);
  expect(first.done).toEqual([1, 2, 3, 4]);
  expect(filesOf(cache)).toHaveLength(3);
  expect(first.read[0]).toEqual(first.read[2]);
  expect(first.read[0]).not.toEqual(first.read[1]);
  const second = await posteriors(cache);
  expect(second.done).toEqual([4]);
  expect(second.read).toEqual(first.read);
});

it('a damaged file is made again', async () => {
  const cache = join(scratch, 'damaged');
  cpSync(join(scratch, 'twice'), cache, { recursive: true });
  const [file = ''] = filesOf(cache);
  truncateSync(file, 100);
  const { read, done } = await posteriors(cache);
  expect(done.length).toBeGreaterThan(1);
  expect(read).toEqual((await posteriors(join(scratch, 'twice'))).read);
  expect((await posteriors(cache)).done).toEqual([4]);
});

it('a run that is stopped keeps what it has encoded', async () => {
  const cache = join(scratch, 'stopped');
  const stop = new AbortController();
  const kept = await LatentCache.open(model, { frame: square(size), provider: 'cpu', cache });
  const report = (event: JobEvent): void => {
    if (event.type === 'progress' && event.done === 3) stop.abort();
  };
  await expect(kept.posteriors(pictures, 'reading', { report, signal: stop.signal })).rejects.toThrow();
  expect(filesOf(cache)).toHaveLength(2);
  expect((await posteriors(cache)).done).toEqual([3, 4]);
});
