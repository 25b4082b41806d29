import { expect, it } from 'vitest';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32 } from '../../../src-main/engine/checkpoints/weights.ts';
import { stretches, checkEnlargedSize, Upscaler } from '../../../src-main/engine/pipelines/upscaler.ts';
import { f32, type HostTensor, type FileTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { upscaleFactors } from '../../../src-shared/domain/upscale.ts';
import { relativeError } from './goldens.ts';

const { tensors } = readSafetensors(`${import.meta.dirname}/../fixtures/scorers/span.safetensors`);
const golden = (key: string): HostTensor<'f32'> => readF32(tensors.get(key) as FileTensor);

it.each(upscaleFactors)("enlarges ×%i as ncnn does from the package's own files", async (factor) => {
  const upscaler = Upscaler.open(factor, 'cpu');
  const large = await upscaler.run(golden('picture'));
  expect(relativeError(large, golden(`x${factor}`))).toBeLessThan(1e-4);
  await upscaler.dispose();
});

it('keeps each pixel of an axis once, out of tiles of one size', () => {
  for (const length of [1, 64, 511, 512, 513, 768, 928, 929, 4096, 16383]) {
    const parts = stretches(length);
    expect(parts.at(0)).toMatchObject({ start: 0, from: 0 });
    expect(parts.at(-1)).toMatchObject({ end: length, to: length });
    for (const [i, { start, end, from, to }] of parts.entries()) {
      expect(end - start).toBe(parts[0]?.end);
      expect(end - start).toBeLessThanOrEqual(512);
      if (i > 0) expect(from).toBe(parts[i - 1]?.to);
      if (i > 0) expect(from - start).toBeGreaterThanOrEqual(48);
      if (i < parts.length - 1) expect(end - to).toBeGreaterThanOrEqual(48);
    }
  }
});

it('shows no seam: tiles give the pixels of the whole picture', async () => {
  const [width, height] = [560, 24];
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 2654435761) >>> 24);
  const upscaler = Upscaler.open(2, 'cpu');
  const tiled = await upscaler.enlarge({ width, height, data });
  expect(stretches(width)).toHaveLength(2);

  const pixels = f32([1, 3, height, width]);
  for (const [i, byte] of data.entries())
    pixels.data[(i % 3) * width * height + Math.floor(i / 3)] = byte / 255;
  const whole = await upscaler.run(pixels);
  const area = 4 * width * height;
  const wanted = Uint8Array.from({ length: 3 * area }, (_, i) =>
    Math.round(255 * Math.min(1, Math.max(0, whole.data[(i % 3) * area + Math.floor(i / 3)] ?? NaN))),
  );
  const differing = tiled.data.filter((value, i) => value !== wanted[i]).length;
  // None on x86; other processors may round in other orders, but not so that a seam shows.
  expect(differing / wanted.length).toBeLessThan(1e-4);
  expect(tiled.data.every((value, i) => Math.abs(value - (wanted[i] ?? 0)) <= 1)).toBe(true);
  await upscaler.dispose();
});

it('refuses what would be too large, before it begins', () => {
  expect(() => checkEnlargedSize({ width: 5000, height: 5000 }, 4)).toThrow(/5000×5000/);
  checkEnlargedSize({ width: 4095, height: 4095 }, 4);
});
