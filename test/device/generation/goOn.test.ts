import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, it } from 'vitest';

const work = mkdtempSync(path.join(tmpdir(), 'likeness goes on '));
afterAll(() => rmSync(work, { recursive: true }));
const model = path.resolve('test/golden/fixtures/models/tiny-bk');

interface Ended {
  readonly images: { readonly path: string; readonly seed: number }[];
}

/** `likeness generate` in a process of its own, which is killed when `killAt` pictures are there and some time has passed. */
function generate(
  out: string,
  words: readonly string[],
  kill?: { at: number; after: number },
  changes?: Readonly<Record<'KILL_AT' | 'KILL_COUNT', string>>,
): Promise<Ended | undefined> {
  const argv = ['dist/likeness.js', 'generate', '--prompt', 'a dog', 'a cat', '--count', '5', '--batch', '2'];
  const own = ['--model', model, '--steps', '2', '--provider', 'cpu', '--json', '--out', out];
  const env = { ...process.env, LIKENESS_CACHE: path.join(work, 'cache'), ...changes };
  const hook = changes ? ['--import', path.resolve('test/device/files/killAtWrite.mjs')] : [];
  const child = spawn(process.execPath, [...hook, ...argv, ...own, ...words], { env });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const watch =
    kill &&
    setInterval(() => {
      if (pictures(out).length < kill.at) return;
      clearInterval(watch);
      setTimeout(() => child.kill('SIGKILL'), kill.after);
    }, 5);
  return new Promise((resolve) =>
    child.on('exit', () => {
      clearInterval(watch);
      const done = said.split('\n').find((line) => line.includes('"type":"done"'));
      resolve(done === undefined ? undefined : (JSON.parse(done) as Ended));
    }),
  );
}

function pictures(out: string): string[] {
  try {
    return readdirSync(out).filter((name) => name.endsWith('.png'));
  } catch {
    return [];
  }
}

const hashes = (out: string): string[] =>
  pictures(out)
    .sort()
    .map((name) =>
      createHash('sha256')
        .update(readFileSync(path.join(out, name)))
        .digest('hex'),
    );

it(
  'goes on after kills at random moments, to the same files and the same bits',
  { timeout: 900_000 },
  async () => {
    const calm = path.join(work, 'calm');
    expect((await generate(calm, ['--seed', '7']))?.images).toHaveLength(10);
    const out = path.join(work, 'killed');
    let seed = 11;
    const random = (): number => (seed = (seed * 48271) % 0x7fffffff) / 0x7fffffff;
    for (const at of [1, 3, 6]) {
      const ended = await generate(out, ['--seed', '7'], { at, after: random() * 20 });
      expect(ended).toBeUndefined();
    }
    const ended = await generate(out, ['--seed', '7']);
    expect(ended?.images.map(({ path: file }) => path.basename(file))).toEqual(pictures(calm).sort());
    expect(hashes(out)).toEqual(hashes(calm));
    // Nothing else is left behind.
    expect(readdirSync(out).filter((name) => !name.endsWith('.png'))).toEqual([]);

    // A command that ended is no part of the next one.
    await generate(out, ['--seed', '7']);
    expect(pictures(out)).toHaveLength(20);
  },
);

it('goes on with the best of several tries, and draws no kept one again', { timeout: 900_000 }, async () => {
  const photos = path.join(work, 'photos');
  mkdirSync(photos);
  for (const name of ['a', 'b'])
    await sharp({
      create: { width: 64, height: 64, channels: 3, background: name === 'a' ? 'red' : 'blue' },
    }).toFile(path.join(photos, `${name}.png`));
  const words = ['--seed', '7', '--count', '2', '--best-of', '2', '--photos', photos];
  const calm = path.join(work, 'best, calm');
  expect((await generate(calm, words))?.images).toHaveLength(4);
  const out = path.join(work, 'best, killed');
  for (const at of [1, 3]) expect(await generate(out, words, { at, after: 0 })).toBeUndefined();
  const first = statSync(path.join(out, pictures(out).sort()[0] as string)).mtimeMs;
  expect((await generate(out, words))?.images).toHaveLength(4);
  expect(pictures(out).sort()).toEqual(pictures(calm).sort());
  expect(hashes(out)).toEqual(hashes(calm));
  expect(statSync(path.join(out, pictures(out).sort()[0] as string)).mtimeMs).toBe(first);
  expect(readdirSync(out).filter((name) => !name.endsWith('.png'))).toEqual([]);
});

it(
  'goes on with weighted prompts of different lengths and with saved latents',
  { timeout: 900_000 },
  async () => {
    const words = (name: string): string[] => [
      ...[
        '--seed',
        '7',
        '--count',
        '3',
        '--weights',
        'a1111',
        '--prompt',
        'a (very:1.2) red '.repeat(30),
        'a mug',
      ],
      ...['--save-latents', path.join(work, `${name}.safetensors`)],
    ];
    const calm = path.join(work, 'weighted, calm');
    const made = await generate(calm, words('calm'));
    expect(made?.images).toHaveLength(12);
    const out = path.join(work, 'weighted, killed');
    for (const at of [1, 5, 8])
      expect(await generate(out, words('killed'), { at, after: 0 })).toBeUndefined();
    const ended = await generate(out, words('killed'));
    expect(ended?.images.map(({ path: file }) => path.basename(file))).toEqual(
      made?.images.map(({ path: file }) => path.basename(file)),
    );
    expect(hashes(out)).toEqual(hashes(calm));
    const [latents, theirs] = ['killed', 'calm'].map((name) =>
      readFileSync(path.join(work, `${name}.safetensors`)),
    );
    expect(latents?.equals(theirs ?? Buffer.alloc(0))).toBe(true);
    expect(readdirSync(out).filter((name) => !name.endsWith('.png'))).toEqual([]);
  },
);

it('goes on with the seed that nobody named', { timeout: 900_000 }, async () => {
  const out = path.join(work, 'any');
  await generate(out, [], { at: 2, after: 0 });
  const ended = await generate(out, []);
  const seeds = ended?.images.map(({ seed }) => seed) ?? [];
  const first = seeds[0] ?? NaN;
  expect(seeds).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4].map((i) => first + i));
  expect(pictures(out)).toHaveLength(10);
});

it('goes on where all pictures were there and the rest was not', { timeout: 900_000 }, async () => {
  const words = (name: string): string[] => {
    const grid = ['--grid', path.join(work, `${name} grid.png`)];
    return ['--seed', '7', '--count', '1', '--size', '32x32', ...grid];
  };
  const count = path.join(work, 'changes');
  const calm = path.join(work, 'with a grid');
  await generate(calm, words('calm'), undefined, { KILL_AT: '0', KILL_COUNT: count });
  expect(pictures(calm)).toHaveLength(2);
  const changes = Number(readFileSync(count, 'utf8'));
  let killed = 0;
  for (let before = 0; before < 12; before++) {
    const out = path.join(work, `with a grid, killed ${before}`);
    const kill = { KILL_AT: String(changes - before), KILL_COUNT: '' };
    // What had told of its end is done; the next one would be another command.
    if (await generate(out, words('killed'), undefined, kill)) continue;
    killed++;
    await generate(out, words('killed'));
    expect([before, ...hashes(out)]).toEqual([before, ...hashes(calm)]);
    expect(readdirSync(out).filter((name) => !name.endsWith('.png'))).toEqual([]);
  }
  expect(killed).toBeGreaterThan(2);
});
