import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { partsHash } from '../../../src-main/engine/checkpoints/modelHash.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { Weights } from '../../../src-main/engine/checkpoints/weights.ts';
import { writeSafetensors } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'likeness-holes-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const side = 1024;
/** A part whose largest matrix has zeros from one number to another. */
function partWithHole(from: number, to: number) {
  const data = Float32Array.from({ length: side * side }, (_, i) => Math.sin(i + 1)).fill(0, from, to);
  const file = join(folder, `${from}-${to}.safetensors`);
  const vector = { dtype: 'f32', shape: [8], data: new Float32Array(8) } as const;
  writeSafetensors(file, [
    { name: 'down_blocks.0.proj.weight', tensor: { dtype: 'f32', shape: [side, side], data } },
    { name: 'down_blocks.0.proj.bias', tensor: vector },
  ]);
  return { file, part: { weights: new Weights(file, readSafetensors(file).tensors) } };
}

it('weights in which a piece of a download is missing are refused', () => {
  const { file, part } = partWithHole(side * 300, side * 700);
  expect(() => partsHash(part)).toThrow(
    expect.objectContaining({
      code: 'weights.damaged',
      message: `${file} is damaged: 1.6 MB inside "down_blocks.0.proj.weight" are zeros, as when a piece of a download is missing. Download or export the file again.`,
    }),
  );
});

it('a matrix that is zero as a whole, in a few rows, or in rows added at its end is not', () => {
  const numbers = side * side;
  for (const [from, to] of [
    [0, numbers],
    [0, side * 30],
    [side * 300, numbers],
  ] as const)
    expect(partsHash(partWithHole(from, to).part)).toMatch(/^[0-9a-f]{32}$/);
});

it('weights that aria2 is still downloading are refused', () => {
  const model = join(folder, 'model');
  cpSync(resolve('test/golden/fixtures/models/tiny-bk'), model, { recursive: true });
  const file = join(model, 'unet/diffusion_pytorch_model.safetensors');
  writeFileSync(`${file}.aria2`, '\0\x01');
  expect(() => openModel(model)).toThrow(
    expect.objectContaining({
      code: 'weights.damaged',
      message: expect.stringContaining(`${file} is damaged: aria2 has not finished downloading it`) as string,
    }),
  );
});
