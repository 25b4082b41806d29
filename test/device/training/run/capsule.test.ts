import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { finetune } from '../../../../src-main/features/training/finetune.ts';
import { rerun, type RerunRequest } from '../../../../src-main/features/training/rerun.ts';
import { likeness } from '../../../pure/cli/likeness.ts';

const original = resolve('test/golden/fixtures/models/tiny-bk');
const scratch = mkdtempSync(join(tmpdir(), 'likeness-capsule-'));
const [photos, model, run] = ['photos', 'model', 'run'].map((name) => join(scratch, name)) as [
  string,
  string,
  string,
];
const notes: string[] = [];
const context = {
  report: (event: { readonly type: string; readonly message?: string }) => {
    if (event.type === 'note') notes.push(event.message ?? '');
  },
  signal: new AbortController().signal,
};

const picture = (background: string) =>
  sharp({ create: { width: 40, height: 40, channels: 3, background } })
    .png()
    .toBuffer();

beforeAll(async () => {
  process.env['LIKENESS_CACHE'] = join(scratch, 'cache');
  cpSync(original, model, { recursive: true });
  mkdirSync(photos);
  writeFileSync(join(photos, 'a.png'), await picture('red'));
  writeFileSync(join(photos, 'b.png'), await picture('blue'));
  const settings = {
    ...({ model, photos, classNoun: 'brick', method: 'lora', provider: 'cpu' } as const),
    ...{ steps: 2, size: 32, checkpointEvery: 2, sampleEvery: null, prior: { weight: 1, classImages: 2 } },
  };
  await finetune({ out: run, resume: false, settings }, context, '1.0.0');
}, 600_000);
afterAll(() => rmSync(scratch, { recursive: true }));

const again = (out: string, said: Partial<RerunRequest> = {}, version = '1.0.0') =>
  rerun({ capsule: run, out: join(scratch, out), resume: false, provider: 'cpu', ...said }, context, version);

it('a capsule names all by hash, and no place on this machine; nor do checkpoints', () => {
  const text = readFileSync(join(run, 'capsule.json'), 'utf8');
  const checkpoint = join(run, 'checkpoints', '000002');
  for (const part of ['unet', 'text_encoder'])
    expect(readFileSync(join(checkpoint, part, 'adapter_config.json'), 'utf8')).not.toContain(scratch);
  expect(text).not.toContain(scratch);
  expect(JSON.parse(text)).toMatchObject({
    version: '1.0.0',
    model: { name: 'model', hash: expect.stringMatching(/^[0-9a-f]{32}$/) as string },
    files: {
      'a.png': expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      'class pictures': expect.any(String) as string,
    },
    results: { 'unet/adapter_model.safetensors': expect.any(String) as string },
  });
});

it('makes the run again to the bit, from elsewhere too, and says what else is new', async () => {
  const moved = join(scratch, 'moved');
  cpSync(photos, moved, { recursive: true });
  const capsule = join(scratch, 'capsule.json');
  cpSync(join(run, 'capsule.json'), capsule);
  await expect(again('lost', { capsule })).rejects.toThrow(/the model model.*--model/);
  notes.length = 0;
  expect(await again('second', { capsule, photos: moved, model }, '1.1.0')).toMatchObject({
    same: true,
    changed: ['Likeness was 1.0.0 and is 1.1.0'],
  });
  expect(notes).toEqual(['Different from the first run: Likeness was 1.0.0 and is 1.1.0.']);
  await expect(again('second')).rejects.toMatchObject({ code: 'run.exists' });
});

it('says which photo, weight or word is another one', async () => {
  const before = readFileSync(join(photos, 'a.png'));
  writeFileSync(join(photos, 'a.png'), await picture('green'));
  renameSync(join(photos, 'b.png'), join(photos, 'c.png'));
  await expect(again('other photos')).rejects.toThrow(
    /capsule\.json.*a\.png has another content; b\.png is gone; c\.png is new/,
  );
  writeFileSync(join(photos, 'a.png'), before);
  renameSync(join(photos, 'c.png'), join(photos, 'b.png'));
  const weights = join(model, 'unet/diffusion_pytorch_model.safetensors');
  const bytes = readFileSync(weights);
  const changed = Buffer.from(bytes);
  changed.fill(0, changed.length >> 1, (changed.length >> 1) + 16);
  writeFileSync(weights, changed);
  await expect(again('other model')).rejects.toThrow(/the weights of model are others/);
  writeFileSync(weights, bytes);
  const merges = join(model, 'tokenizer/merges.txt');
  const rules = readFileSync(merges, 'utf8');
  const [head, first, second, ...others] = rules.split('\n');
  writeFileSync(merges, [head, second, first, ...others].join('\n'));
  await expect(again('other tokenizer')).rejects.toThrow(/the tokenizer of model is another/);
  // The same rules, written otherwise.
  writeFileSync(merges, rules.replaceAll('\n', '\r\n'));
  expect(await again('same tokenizer')).toMatchObject({ same: true });
  writeFileSync(merges, rules);
  expect(existsSync(join(scratch, 'other model'))).toBe(false);
});

it('says that other bits came out, and the command fails', async () => {
  const file = join(scratch, 'wrong.json');
  const capsule = JSON.parse(readFileSync(join(run, 'capsule.json'), 'utf8')) as {
    results: Record<string, string>;
  };
  const results = { ...capsule.results, 'unet/adapter_model.safetensors': '0' };
  writeFileSync(file, JSON.stringify({ ...capsule, results }));
  expect(await again('wrong', { capsule: file, photos, model })).toMatchObject({ same: false, changed: [] });
  writeFileSync(file, '{"capsule":2}');
  const damaged = await likeness(['rerun', file, '--out', join(scratch, 'damaged')]);
  expect(damaged).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/wrong\.json is not a run's capsule/) as string,
  });
});
