import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { fitWholeLora } from '../../../src-main/engine/checkpoints/lora/fitLora.ts';
import { readLora } from '../../../src-main/engine/checkpoints/lora/readLora.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { readF32 } from '../../../src-main/engine/checkpoints/weights.ts';
import { jsonLines, likeness } from '../../pure/cli/likeness.ts';

const model = path.resolve('test/golden/fixtures/models/tiny-sd1');
const kinds = path.resolve('test/golden/fixtures/checkpoints/lora-kinds');
const scratch = mkdtempSync(path.join(tmpdir(), 'likeness mix ü '));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it.each([['diffusers'], ['single-file']])(
  '%s: LoRA files of several methods lie in the weights as pictures are drawn with them',
  async (format) => {
    const files = ['dora', 'lokr', 'rslora'].map((name) => path.join(kinds, name));
    const weights = [1, 0.5, -0.7];
    const out = path.join(scratch, format === 'single-file' ? 'mixed.safetensors' : 'mixed');
    const { status, stdout } = await likeness([
      ...['export', '--model', model, '--format', format, '--out', out, '--dtype', 'f32', '--json'],
      ...files.flatMap((file, i) => ['--lora', `${file}:${weights[i]}`]),
    ]);
    expect(status).toBe(0);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'done', path: out });
    expect(existsSync(path.join(scratch, 'mixed.receipt.json'))).toBe(true);
    const receipt = JSON.parse(readFileSync(path.join(scratch, 'mixed.receipt.json'), 'utf8')) as {
      opened: { largestDifference: number }[];
    };
    expect(receipt.opened[0]?.largestDifference).toBeLessThan(1e-3);

    // A weight that a file changes is another now, and one that none changes is the same.
    const [before, after] = [openModel(model), openModel(out)];
    const { adapters, changes } = fitWholeLora(readLora(files[0] ?? ''), before);
    const touched = new Set([...adapters, ...changes].map(({ module }) => `${module}.weight`));
    for (const name of ['conv_in.weight', ...touched]) {
      const [old, now] = [before.unet.weights.get(name), after.unet.weights.get(name)];
      if (!old || !now) continue;
      const gap = readF32(old).data.some(
        (value, i) => Math.abs(value - (readF32(now).data[i] ?? NaN)) > 1e-6,
      );
      expect(gap, name).toBe(touched.has(name));
    }
  },
  300_000,
);

it('writes a model as it is where nothing is put into it', async () => {
  const out = path.join(scratch, 'plain.safetensors');
  const { status, stdout } = await likeness([
    ...['export', '--model', model, '--format', 'single-file', '--out', out, '--dtype', 'f32'],
  ]);
  expect([status, stdout]).toEqual([0, expect.stringMatching(/plain\.safetensors: \d+ tensors, read back/)]);
  const { unet: before } = openModel(model);
  const { unet: after } = openModel(out);
  for (const name of before.weights.names()) {
    const [old, now] = [before.weights.get(name), after.weights.get(name)];
    if (!old || !now) throw new Error(`${name} is gone`);
    expect(readF32(now).data).toEqual(readF32(old).data);
  }
}, 120_000);

it('says what cannot be mixed, and why', async () => {
  const dora = path.join(kinds, 'dora');
  const out = path.join(scratch, 'no');
  const say = async (...words: string[]) => likeness(['export', ...words, '--out', out]);
  expect((await say('--format', 'diffusers')).status).toBe(2);
  const noLora = await say('--format', 'kohya', '--model', model);
  expect([noLora.status, noLora.stderr]).toEqual([2, expect.stringContaining('--model')]);
  const asLora = await say('--format', 'kohya', '--lora', dora, '--model', model);
  expect(asLora.status).toBe(2);
  expect(asLora.stderr).toContain('--lora');
  const embedding = path.resolve('test/golden/fixtures/checkpoints/embeddings/web-ui.pt');
  const words = await say('--format', 'diffusers', '--lora', embedding, '--model', model);
  expect(words.status).toBe(1);
}, 60_000);
