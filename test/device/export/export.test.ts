import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';
import { exportRun } from '../../../src-main/features/export/export.ts';
import { unusualBlocks } from '../../../src-main/features/export/receipt.ts';
import { brickRun } from './brickRun.ts';
import { jsonLines, likeness } from '../../pure/cli/likeness.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness export ü '));
const run = path.join(scratch, 'run');

beforeAll(() => brickRun(scratch), 300_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const words = (format: string, out: string): string[] => [
  ...['export', '--run', run, '--format', format, '--out', out, '--json'],
];

/** Ends the command the hard way once it has begun to read back what it wrote. */
async function killed(format: string, out: string): Promise<void> {
  const { status } = await likeness(words(format, out), (child) =>
    child.stdout?.on('data', (text: string) => {
      if (text.includes('reading back')) child.kill('SIGKILL');
    }),
  );
  expect(status).toBeNull();
}

it.each([
  ['diffusers', 'dog'],
  ['kohya', 'dog.safetensors'],
])(
  '%s: a killed export leaves nothing at its place, and the same command again works and tidies up',
  async (format, name) => {
    const folder = path.join(scratch, format);
    const out = path.join(folder, name);
    await killed(format, out);
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(folder)).toHaveLength(1);
    // Of a process that lives: this one's.
    const living = `.${name}.${process.pid}.tmp`;
    mkdirSync(path.join(folder, living));

    const { status, stdout } = await likeness(words(format, out));
    expect(status).toBe(0);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'done', path: out });
    const receipts = ['dog.receipt.json', 'dog.receipt.png'];
    expect(readdirSync(folder).sort()).toEqual([living, name, ...receipts].sort());
    const receipt = JSON.parse(readFileSync(path.join(folder, 'dog.receipt.json'), 'utf8')) as {
      opened: { largestDifference: number }[];
      looked_for: { found: number; of: number }[];
    };
    expect(receipt.opened[0]?.largestDifference).toBeLessThan(3e-3);
    for (const { found, of } of receipt.looked_for) expect(found).toBe(of);
    const { width } = await sharp(path.join(folder, 'dog.receipt.png')).metadata();
    expect(width).toBe(12 + 3 * 268);
    if (format === 'diffusers') expect(openModel(out).unet.weights.names().length).toBeGreaterThan(0);
  },
  300_000,
);

it.each(['kohya', 'single-file'] as const)(
  '%s: says which programs a model of other blocks is not for, and names them in no receipt',
  async (format) => {
    const out = path.join(scratch, `blocks ${format}.safetensors`);
    const heard: JobEvent[] = [];
    const context = { report: (event: JobEvent) => heard.push(event), signal: new AbortController().signal };
    await exportRun({ run, format, out, dtype: 'f32', transformers: 5 }, context);
    expect(heard).toContainEqual({
      type: 'warning',
      message: expect.stringMatching(/other blocks.*AUTOMATIC1111/) as string,
    });
    expect(readFileSync(out.replace('.safetensors', '.receipt.json'), 'utf8')).not.toMatch(/AUTOMATIC1111/);
    const usual = openModel(path.resolve('test/golden/fixtures/models/tiny-sd2'));
    expect(unusualBlocks(format, usual)).toBeUndefined();
  },
);

it('a kill just before the end leaves an export that has its receipt, or none at all', () => {
  const folder = path.join(scratch, 'late');
  const out = path.join(folder, 'dog.safetensors');
  const counted = path.join(scratch, 'changes');
  const preload = path.resolve('test/device/files/killAtWrite.mjs');
  const run = (more: Record<string, string>): number | null =>
    spawnSync(process.execPath, ['--import', preload, 'dist/likeness.js', ...words('kohya', out)], {
      env: { ...process.env, ...more },
    }).status;
  expect(run({ KILL_COUNT: counted })).toBe(0);
  const changes = Number(readFileSync(counted, 'utf8'));
  const whole = readdirSync(folder);
  for (const before of [0, 1, 3]) {
    rmSync(folder, { recursive: true });
    expect(run({ KILL_AT: String(changes - before) })).toBeNull();
    if (!existsSync(out)) expect(run({})).toBe(0);
    const left = readdirSync(folder).filter((name) => !name.startsWith('.'));
    expect(left.sort()).toEqual([...whole].sort());
  }
}, 300_000);

it('refuses a place where something of the user is, and touches nothing there', async () => {
  const out = path.join(scratch, 'mine');
  mkdirSync(out);
  writeFileSync(path.join(out, 'letter.txt'), 'mine');
  const { status, stdout } = await likeness(words('peft', out));
  expect(status).toBe(1);
  expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'error', code: 'export.exists' });
  expect(readdirSync(out)).toEqual(['letter.txt']);
  expect(readFileSync(path.join(out, 'letter.txt'), 'utf8')).toBe('mine');
}, 120_000);

const told = {
  ss_v2: 'False',
  ss_base_model_version: 'sd_v1',
  ss_sd_model_name: 'tiny-bk',
  ss_output_name: 'brick',
  ss_resolution: '(32, 32)',
  ss_steps: '1',
  ss_tag_frequency: '{"1_sks brick":{"sks brick":1}}',
  'modelspec.sai_model_spec': '1.0.0',
  'modelspec.architecture': 'stable-diffusion-v1/lora',
  'modelspec.implementation': 'diffusers',
  'modelspec.title': 'brick',
  'modelspec.resolution': '32x32',
  'modelspec.prediction_type': 'epsilon',
  'modelspec.trigger_phrase': 'sks brick',
};

it.each([
  ['kohya', 'brick.safetensors', { ss_network_dim: '2', ss_network_module: 'networks.lora' }],
  ['peft', 'brick', { format: 'pt' }],
])(
  '%s: the file tells other tools what it is and which words call the subject',
  async (format, name, more) => {
    const out = path.join(scratch, 'told', format, name);
    const { status } = await likeness(words(format, out));
    expect(status).toBe(0);
    const file = format === 'peft' ? path.join(out, 'pytorch_lora_weights.safetensors') : out;
    expect(readSafetensors(file).metadata).toMatchObject({ ...told, ...more });
  },
  300_000,
);
