import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { square } from '../../../src-main/engine/training/data/aspectBuckets.ts';
import { loadPhoto } from '../../../src-main/engine/training/data/photoPixels.ts';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';

const fixtures = fileURLToPath(new URL('../fixtures/photos/', import.meta.url));
const records = JSON.parse(readFileSync(`${fixtures}expected.json`, 'utf8')) as {
  file: string;
  size: number;
  seed: number | null;
  bytes: string;
}[];

describe("Pillow's and torchvision's preparation of photos", () => {
  it.each(records)('$file to $size, crop seed $seed', async ({ file, size, seed, bytes }) => {
    const photo = await loadPhoto(`${fixtures}${file}`, {
      frame: square(size),
      ...(seed !== null && { generator: new TorchGenerator(seed) }),
    });
    const expected = Float32Array.from(
      Buffer.from(bytes, 'base64'),
      (byte) => (Math.fround(byte / 255) - 0.5) / 0.5,
    );
    expect(photo.length).toBe(expected.length);
    // JPEG decoders may round a value the other way before it is resized; PNG has no such freedom.
    const levels = file.endsWith('.jpg') ? 1 : 0;
    const worst = photo.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - (expected[i] as number))),
      0,
    );
    expect(worst * 127.5).toBeLessThan(levels + 1e-3);
  });
});
