import { closeSync, copyFileSync, cpSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { readWeightFile } from '../../../src-main/engine/checkpoints/weightFiles.ts';
import { writeSafetensors } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { inspect } from '../../../src-main/features/inspect/inspect.ts';

let folder: string;
const tiny = resolve('test/golden/fixtures/models/tiny-bk');
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'likeness-empty-end-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Puts zeros over a file's last bytes. */
function emptied(file: string, bytes: number): string {
  const opened = openSync(file, 'r+');
  writeSync(opened, Buffer.alloc(bytes), 0, bytes, statSync(file).size - bytes);
  closeSync(opened);
  return file;
}

it('weights whose file has its whole length but no end are refused', async () => {
  const model = join(folder, 'model');
  cpSync(tiny, model, { recursive: true });
  expect((await inspect(model)).report.problems).toEqual([]);
  const file = emptied(join(model, 'unet/diffusion_pytorch_model.safetensors'), 100_000);
  const refusal = {
    code: 'weights.damaged',
    message: `${file} is damaged: its last 0.1 MB are zeros, as when a download or copy is interrupted. Download or export the file again.`,
  };
  expect(() => openModel(model)).toThrow(expect.objectContaining(refusal));
  await expect(inspect(model)).rejects.toMatchObject(refusal);
});

it('and so are a LoRA and a file of everything', () => {
  const matrix = (rows: number) => ({
    ...({ dtype: 'f32', shape: [rows, 320] } as const),
    data: Float32Array.from({ length: rows * 320 }, (_, i) => Math.sin(i + 1)),
  });
  const file = join(folder, 'lora.safetensors');
  const names = ['a.lora_down.weight', 'a.lora_up.weight', 'b.lora_down.weight', 'b.lora_up.weight'];
  writeSafetensors(
    file,
    names.map((name) => ({ name, tensor: matrix(64) })),
  );
  expect(readWeightFile(file).tensors.size).toBe(4);
  const cut = join(folder, 'cut.safetensors');
  copyFileSync(file, cut);
  expect(() => readWeightFile(emptied(cut, 100_000))).toThrow(/its last 0\.1 MB are zeros/);
});

it('tensors that are zero as a whole are not', async () => {
  const ones = { dtype: 'f32', shape: [64, 320], data: new Float32Array(64 * 320).fill(1) } as const;
  const zeros = { ...ones, data: new Float32Array(64 * 320) };
  const file = join(folder, 'fresh.safetensors');
  writeSafetensors(file, [
    { name: 'unet.mid_block.attentions.0.proj_in.lora_A.weight', tensor: ones },
    { name: 'unet.mid_block.attentions.0.proj_in.lora_B.weight', tensor: zeros },
  ]);
  expect(readWeightFile(file).tensors.size).toBe(2);
  // Zeros of which nobody knows: told of, not refused.
  const model = join(folder, 'zero end');
  cpSync(tiny, model, { recursive: true });
  const unet = join(model, 'unet/diffusion_pytorch_model.safetensors');
  const entries = [...openModel(model).unet.weights.names()].flatMap(
    (name) => openModel(model).unet.weights.get(name) ?? [],
  );
  const size = statSync(unet).size;
  const boundary = entries.map(({ offset }) => offset).filter((offset) => offset < size - 70_000);
  emptied(unet, size - Math.max(...boundary));
  const { report, fatal } = await inspect(model);
  expect(fatal).toBeUndefined();
  expect(report.problems).toEqual([expect.stringMatching(/^the last \d\.\d MB of .*unet.* are zeros/)]);
});
