import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { jsonLines, likeness } from '../../pure/cli/likeness.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness cache '));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const model = path.resolve('test/golden/fixtures/models/tiny-bk');
const photos = path.join(scratch, 'photos');
const cache = path.join(scratch, 'cache');

beforeAll(() => {
  mkdirSync(photos);
  for (const name of ['00.jpg', '01.jpg'])
    copyFileSync(path.resolve('resources/sample-subject', name), path.join(photos, name));
  // In the cache's place, as a folder that may not be opened would be; tests may run as root, whom nothing is forbidden.
  writeFileSync(cache, 'no folder');
  process.env['LIKENESS_CACHE'] = cache;
});
afterAll(() => delete process.env['LIKENESS_CACHE']);

it('what only keeps things for later works without a cache', async () => {
  const pictures = path.join(scratch, 'pictures');
  const drawn = ['--prompt', 'a', '--size', '32x32', '--steps', '1', '--provider', 'cpu', '--out', pictures];
  const commands = [
    ['photos', photos],
    ['mask', path.join(photos, '00.jpg'), '--out', path.join(scratch, 'mask.png')],
    ['inspect', model],
    ['generate', '--model', model, ...drawn],
  ];
  for (const words of commands)
    expect(await likeness([...words, '--quiet'])).toMatchObject({ status: 0, stderr: '' });
  expect(readdirSync(pictures)).toHaveLength(1);
  const { status, stderr } = await likeness(['inspect', 'someone/else']);
  expect([status, stderr]).toEqual([1, expect.stringContaining("nor a model in the Hub's cache")]);
}, 120_000);

it('what must keep things there names the folder, and how to give another', async () => {
  const out = path.join(scratch, 'run');
  const words = [
    'finetune',
    '--photos',
    photos,
    '--class',
    'dog',
    '--model',
    model,
    '--steps',
    '1',
    '--out',
    out,
  ];
  const { status, stdout } = await likeness([...words, '--size', '32', '--no-prior', '--json']);
  expect(status).toBe(1);
  expect(jsonLines(stdout).at(-1)).toMatchObject({
    code: 'cache.unusable',
    message: expect.stringMatching(/cache can't be written to .* set LIKENESS_CACHE to a folder/) as string,
  });
  expect(existsSync(out)).toBe(false);
}, 60_000);

it.runIf(process.platform === 'linux')(
  'a home in which no folder can be made keeps nothing',
  async () => {
    const pictures = path.join(scratch, 'without a home');
    const drawn = [
      '--prompt',
      'a',
      '--size',
      '32x32',
      '--steps',
      '1',
      '--provider',
      'cpu',
      '--out',
      pictures,
    ];
    process.env['LIKENESS_CACHE'] = '/proc/nowhere/likeness';
    for (const words of [
      ['inspect', model],
      ['generate', '--model', model, ...drawn],
    ])
      expect(await likeness([...words, '--quiet'])).toMatchObject({ status: 0, stderr: '' });
    process.env['LIKENESS_CACHE'] = cache;
  },
  60_000,
);
