import {
  cpSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WarmModel } from '../../../src-main/features/generation/warmModel.ts';

const fixtures = path.resolve('test/golden/fixtures');
let scratch = '';
let model = '';
beforeAll(() => {
  scratch = mkdtempSync(path.join(tmpdir(), 'likeness-warm-'));
  model = path.join(scratch, 'model');
  cpSync(path.join(fixtures, 'models/tiny-sd1'), model, { recursive: true });
});
afterAll(() => rmSync(scratch, { recursive: true }));

const warm = new WarmModel();
const open = (lora?: string) =>
  warm.open(
    { model, provider: 'cpu', loras: lora === undefined ? [] : [{ path: lora, weight: 1 }] },
    () => undefined,
  );

/** Puts other bytes in a file's place, with its times, and leaves the folder's times as they were. */
function replace(file: string, write: (file: string) => void): void {
  const folders = [path.dirname(file), path.dirname(path.dirname(file))];
  const times = folders.map((folder) => statSync(folder));
  const { atime, mtime } = statSync(file);
  write(`${file}.new`);
  renameSync(`${file}.new`, file);
  utimesSync(file, atime, mtime);
  folders.forEach((folder, i) => {
    const before = times[i];
    if (before) utimesSync(folder, before.atime, before.mtime);
  });
}

it('stays warm for the same files', async () => {
  expect(await open()).toBe(await open());
});

it('opens the weights anew that were replaced inside the folder', async () => {
  const before = await open();
  const file = path.join(model, 'unet/diffusion_pytorch_model.safetensors');
  // The last tensor's last values: the file keeps its header and its size.
  const bytes = readFileSync(file);
  replace(file, (place) => writeFileSync(place, bytes.fill(0, bytes.length - 64)));
  const after = await open();
  expect(after).not.toBe(before);
  expect(after.hash).not.toBe(before.hash);
});

it('reads the vocabulary and a LoRA anew that were replaced', async () => {
  const lora = path.join(scratch, 'lora.safetensors');
  cpSync(path.join(fixtures, 'checkpoints/lora-diffusers.safetensors'), lora);
  const first = await open(lora);
  replace(lora, (place) =>
    cpSync(path.join(fixtures, 'checkpoints/lora-kinds/rslora/adapter_model.safetensors'), place),
  );
  const second = await open(lora);
  expect(second).not.toBe(first);
  replace(path.join(model, 'tokenizer/merges.txt'), (place) => writeFileSync(place, '#version: 0.2\n'));
  expect(await open(lora)).not.toBe(second);
});
