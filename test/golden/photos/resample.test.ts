import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { loadPicture } from '../../../src-main/engine/pictures/pictures.ts';
import { resampleFilters, resize, resizeFloat } from '../../../src-main/engine/pictures/resample.ts';
import type { FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url));
const { tensors } = readSafetensors(`${fixtures}resampling/expected.safetensors`);
const expected = (name: string) => readTensor(tensors.get(name) as FileTensor).data;
const sizes = Object.entries(
  JSON.parse(readFileSync(`${fixtures}resampling/sizes.json`, 'utf8')) as Record<string, [number, number]>,
);
const cases = sizes.flatMap(([file, size]) => resampleFilters.map((filter) => ({ file, size, filter })));

describe("Pillow's Image.resize", () => {
  it.each(cases)('$file to $size, $filter: the same bytes', async ({ file, size, filter }) => {
    const resized = resize(await loadPicture(`${fixtures}photos/${file}`), ...size, filter);
    expect(Buffer.compare(resized.data, expected(`bytes.${file}.${filter}`) as Uint8Array)).toBe(0);
  });

  it.each(sizes.filter(([file]) => file !== 'square.png'))(
    '%s to %s without rounding: the same floats',
    async (file, size) => {
      const resized = resizeFloat(await loadPicture(`${fixtures}photos/${file}`), ...size, 'bicubic');
      expect([...resized]).toEqual([...(expected(`floats.${file}.bicubic`) as Float32Array)]);
    },
  );
});
