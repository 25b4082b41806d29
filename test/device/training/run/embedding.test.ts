import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AskedFinetune } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { JobEvent } from '../../../../src-shared/domain/jobEvents.ts';
import { readEmbedding } from '../../../../src-main/engine/checkpoints/embedding.ts';
import { readSafetensors } from '../../../../src-main/engine/checkpoints/safetensors.ts';
import { finetune } from '../../../../src-main/features/training/finetune.ts';
import { jsonLines, likeness } from '../../../pure/cli/likeness.ts';

const model = resolve('test/golden/fixtures/models/tiny-bk');
const scratch = mkdtempSync(join(tmpdir(), 'likeness-wort ß-'));
const place = (...names: string[]): string => join(scratch, ...names);
const signal = new AbortController().signal;

const settings = {
  ...({ model, photos: place('bricks'), classNoun: 'brick', provider: 'cpu', method: 'embedding' } as const),
  ...{ token: '<rex>', embedding: { vectors: 2 } },
  ...{ steps: 4, size: 32, checkpointEvery: 2, sampleEvery: 3, learningRate: 0.05 },
} satisfies AskedFinetune;
const train = (
  name: string,
  resume = false,
  context: Parameters<typeof finetune>[1] = { report: () => undefined, signal },
) => finetune({ out: place(name), resume, settings }, context, '1.0.0');
const fileOf = (name: string, step: string): string =>
  place(name, 'checkpoints', step, 'embeddings', 'rex.safetensors');

beforeAll(async () => {
  process.env['LIKENESS_CACHE'] = place('cache');
  mkdirSync(place('bricks'));
  for (const [name, background] of Object.entries({ 'a.png': 'red', 'b.png': 'brown' }))
    await sharp({ create: { width: 40, height: 40, channels: 3, background } })
      .png()
      .toFile(place('bricks', name));
  await train('run');
}, 600_000);
afterAll(() => rmSync(scratch, { recursive: true }));

it('learns a word alone, without class pictures, into files that other tools read', () => {
  expect(readdirSync(place('run', 'checkpoints', '000004'))).toEqual(['embeddings']);
  const { word, vectors } = readEmbedding(fileOf('run', '000004'));
  expect([word, vectors.shape[0]]).toEqual(['<rex>', 2]);
  expect([...readSafetensors(fileOf('run', '000004')).tensors.keys()]).toEqual(['<rex>']);
  expect(readEmbedding(fileOf('run', '000002')).vectors.data).not.toEqual(vectors.data);
  const about = JSON.parse(readFileSync(place('run', 'run.json'), 'utf8')) as {
    settings: { prior: unknown };
  };
  expect(about.settings.prior).toBeNull();
  expect(readdirSync(place('run', 'samples'))).toEqual(['000000.png', '000003.png', '000004.png']);
});

it('refuses a token that the model knows', async () => {
  const asked = { ...settings, token: 'a' };
  await expect(
    finetune(
      { out: place('no'), resume: false, settings: asked },
      { report: () => undefined, signal },
      '1.0.0',
    ),
  ).rejects.toThrow(/vocabulary has it already/);
});

it('goes on after an interruption to the same bits', { timeout: 600_000 }, async () => {
  const pause = new AbortController();
  const report = (event: JobEvent): void => {
    if (event.type === 'step' && event.step === 3) pause.abort();
  };
  await expect(train('broken', false, { report, signal: pause.signal })).rejects.toThrow();
  await train('broken', true);
  expect(readFileSync(fileOf('broken', '000004'))).toEqual(readFileSync(fileOf('run', '000004')));
});

it('is drawn, exported and refused as a LoRA', { timeout: 600_000 }, async () => {
  const draw = async (out: string, ...words: string[]): Promise<Buffer> => {
    const common = ['--prompt', 'a photo of <rex> brick', '--steps', '2', '--seed', '1', '--provider', 'cpu'];
    const { status, stderr } = await likeness(['generate', ...common, '--out', place(out), ...words]);
    expect(status, stderr).toBe(0);
    const [name = ''] = readdirSync(place(out)).filter((one) => one.endsWith('.png'));
    return sharp(place(out, name)).raw().toBuffer();
  };
  const file = place('exported.safetensors');
  const written = await likeness([
    'export',
    '--run',
    place('run'),
    '--format',
    'embedding',
    '--out',
    file,
    '--json',
  ]);
  expect(written.status, written.stderr).toBe(0);
  expect(jsonLines(written.stdout).at(-1)).toMatchObject({ path: file, maxError: 0 });
  expect(readEmbedding(file).vectors.data).toEqual(readEmbedding(fileOf('run', '000004')).vectors.data);

  const own = ['--guidance', '3'];
  const byRun = await draw('a', '--model', model, '--lora', place('run'), ...own);
  const byFile = await draw('b', '--model', model, '--embedding', file, ...own);
  const without = await draw('c', '--model', model, ...own);
  expect(byRun).toEqual(byFile);
  expect(byRun).not.toEqual(without);

  const kohya = await likeness([
    'export',
    '--run',
    place('run'),
    '--format',
    'kohya',
    '--out',
    place('no.safetensors'),
  ]);
  expect([kohya.status, kohya.stderr]).toEqual([1, expect.stringContaining('embedding') as string]);
});
