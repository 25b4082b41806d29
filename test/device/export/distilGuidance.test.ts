import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32, readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { Networks } from '../../../src-main/engine/pipelines/networks.ts';
import { noiseSchedule } from '../../../src-main/engine/schedulers/noiseSchedule.ts';
import { f32, i64, type FileTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { openRun } from '../../../src-main/features/export/openRun.ts';
import { recordGuidance } from '../../../src-main/features/guidance/recordGuidance.ts';
import { finetune } from '../../../src-main/features/training/finetune.ts';
import { receiptSchema } from '../../../src-shared/domain/receipt.ts';
import { jsonLines, likeness } from '../../pure/cli/likeness.ts';

const model = path.resolve('test/golden/fixtures/models/tiny-bk');
const scratch = mkdtempSync(path.join(tmpdir(), 'likeness guidance ü '));
const run = path.join(scratch, 'run');
const context = { report: () => undefined, signal: new AbortController().signal };

beforeAll(async () => {
  const photos = path.join(scratch, 'photos');
  mkdirSync(photos);
  await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } }).toFile(
    path.join(photos, 'red.png'),
  );
  const settings = {
    ...({ model, photos, classNoun: 'brick', steps: 4, size: 32, provider: 'cpu', prior: false } as const),
    ...{ checkpointEvery: 4, learningRate: 0.01, lora: { rank: 2 }, textLora: { rank: 2 }, batch: 2 },
  };
  await finetune({ out: run, resume: false, settings }, context, 'test');
}, 300_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('records what makes plain guidance give what the run and its base model give together', async () => {
  const { model: opened, networks, size } = openRun(run, undefined);
  const file = path.join(scratch, 'recording.safetensors');
  const guided = { guidance: 3, baseGuidance: 2, guidanceStop: 0.6 };
  const scale = 5;
  const prompts = ['a photo of sks brick'];
  await recordGuidance(file, {
    ...{ model: opened, networks, size, prompts, guided, scale, steps: 10, batch: 2 },
    ...{ onPicture: () => undefined, signal: context.signal },
  });
  const { tensors, metadata } = readSafetensors(file);
  expect(metadata['prior']).toBe('true');
  const entry = (name: string): FileTensor => tensors.get(name) as FileTensor;
  const { alphaBars } = noiseSchedule(opened.scheduler, model);
  const [latents, noise] = [readF32(entry('latents')).data, readF32(entry('noise')).data];
  const times = [...(readTensor(entry('timesteps')).data as BigInt64Array)].map(Number);
  const ids = [...(readTensor(entry('input_ids')).data as BigInt64Array)].map(Number);
  const shape = [1, ...entry('latents').shape.slice(2)];
  const pixels = shape.reduce((product, side) => product * side);
  const own = new Networks(opened, networks);
  const base = new Networks(opened);
  const row = (data: Float32Array, k: number): Float32Array => data.subarray(k * pixels, (k + 1) * pixels);
  const late: boolean[] = [];
  for (const [of, prompt, empty] of [
    [0, 0, 2],
    [1, 1, 3],
    [2, 4, 6],
    [8, 32 / 2 + 1, 32 / 2 + 3],
  ] as const) {
    const t = times[prompt] as number;
    expect(times[empty], String(of)).toBe(t);
    const [alpha, sigma] = [Math.sqrt(alphaBars[t] as number), Math.sqrt(1 - (alphaBars[t] as number))];
    const x = row(latents, prompt).map((x0, i) => alpha * x0 + sigma * (row(noise, prompt)[i] as number));
    row(latents, empty).forEach((x0, i) =>
      expect(alpha * x0 + sigma * (row(noise, empty)[i] as number)).toBeCloseTo(x[i] as number, 4),
    );
    const length = entry('input_ids').shape[2] as number;
    const text = (k: number) => i64([1, length], ids.slice(k * length, (k + 1) * length));
    const at = f32([1], [t]);
    const ask = async (of: Networks, k: number): Promise<Float32Array> =>
      (await of.predict(f32(shape, x), at, await of.encodeText(text(k)))).data;
    const [taught, plain, away] = [await ask(own, prompt), await ask(base, prompt), await ask(base, empty)];
    const [c, e] = [row(noise, prompt), row(noise, empty)];
    // 20 steps of 50 timesteps each: guidance ends behind the twelfth.
    const isLate = t < 400;
    late.push(isLate);
    for (const [i, towards] of taught.entries()) {
      const [zero, there] = [away[i] as number, plain[i] as number];
      const wanted = isLate ? towards : zero + 3 * (towards - zero) + 2 * (there - zero);
      expect((e[i] as number) + scale * ((c[i] as number) - (e[i] as number))).toBeCloseTo(wanted, 2);
    }
  }
  await own.release();
  await base.release();
}, 300_000);

it('trains the LoRA towards it, keeps what was made, and says in the receipt what came of it', async () => {
  const words = (format: string, out: string): string[] => [
    ...['export', '--run', run, '--format', format, '--out', out, '--json', '--distill-guidance', '5'],
    ...['--guidance', '3', '--base-guidance', '2', '--guidance-stop', '1', '--distill-steps', '80'],
  ];
  const out = path.join(scratch, 'brick.safetensors');
  const { status, stderr } = await likeness(words('kohya', out));
  expect(stderr).not.toContain('Error');
  expect(status).toBe(0);
  const receipt = receiptSchema.parse(
    JSON.parse(readFileSync(path.join(scratch, 'brick.receipt.json'), 'utf8')),
  );
  expect(receipt.step).toBe(4);
  expect(receipt.guidance).toMatchObject({ scale: 5, guided: { baseGuidance: 2 } });
  expect(receipt.guidance?.likeness?.after).toBeGreaterThan(0);
  const [made, ...others] = readdirSync(path.join(run, 'plain-guidance'));
  expect(others).toEqual([]);
  const log = path.join(run, 'plain-guidance', made ?? '', 'log.jsonl');
  const losses = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { loss: number }).loss);
  const mean = (of: number[]): number => of.reduce((sum, one) => sum + one, 0) / of.length;
  expect(losses).toHaveLength(80);
  expect(mean(losses.slice(-20))).toBeLessThan(0.8 * mean(losses.slice(0, 5)));

  const again = await likeness(words('peft', path.join(scratch, 'brick')));
  expect(again.status).toBe(0);
  expect(jsonLines(again.stdout).some((line) => line['label'] === 'recording guidance')).toBe(false);
  expect(existsSync(path.join(scratch, 'brick', 'unet'))).toBe(true);
}, 300_000);

it('refuses a model that draws with plain guidance anyway, and says how to go on', async () => {
  const out = path.join(scratch, 'no.safetensors');
  const { status, stderr } = await likeness([
    ...['export', '--run', run, '--format', 'kohya', '--out', out, '--distill-guidance', '5'],
  ]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/nothing to distil.*--base-guidance/);
}, 60_000);
