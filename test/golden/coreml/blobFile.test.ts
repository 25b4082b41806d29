import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { blobAt, BlobFile } from '../../../src-main/engine/coreml/blobFile.ts';
import { readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { f16ToF32 } from '../../../src-main/engine/tensor/half.ts';
import { f32 } from '../../../src-main/engine/tensor/tensor.ts';

/** Written by coremltools (reference/make_coreml_goldens.py), with the same numbers. */
const file = path.resolve('test/golden/fixtures/coreml/weight.bin');
const ramp = (length: number, entry: (i: number) => number) =>
  f32(
    [length],
    Array.from({ length }, (_, i) => entry(i)),
  );

it('has the bytes that coremltools writes, at the places that it gives', () => {
  const blobs = new BlobFile();
  const places = [
    blobs.add({ name: 'a', tensor: ramp(40, (i) => i / 8 - 2), dtype: 'f16' }),
    blobs.add({ name: 'b', tensor: ramp(11, (i) => i / 3), dtype: 'f32' }),
    blobs.add({ name: 'c', tensor: ramp(32, (i) => i / 3), dtype: 'f16' }),
  ];
  expect(places).toEqual([64, 256, 384]);
  expect(Buffer.concat([...blobs.bytes()]).equals(readFileSync(file))).toBe(true);
});

it("reads coremltools' tensors", () => {
  const tensor = readTensor(blobAt(file, 64, [5, 8]));
  expect(tensor.shape).toEqual([5, 8]);
  expect([...f16ToF32(tensor.data as Uint16Array)]).toEqual(Array.from({ length: 40 }, (_, i) => i / 8 - 2));
  expect(readTensor(blobAt(file, 256, [11])).data[10]).toBe(Math.fround(10 / 3));
});

it('says where there is no tensor, and where it is another', () => {
  expect(() => blobAt(file, 128, [40])).toThrow('no tensor at byte 128');
  expect(() => blobAt(file, 64, [41])).toThrow('has another size');
});
