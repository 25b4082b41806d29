import { expect, it } from 'vitest';
import { decodeTiled, tileStarts } from '../../src-main/engine/pipelines/tiledDecode.ts';
import { dims4, f32, type HostTensor } from '../../src-main/engine/tensor/tensor.ts';

type Floats = HostTensor<'f32'>;

/** A decoder that looks at no neighbours: each latent becomes a square of 2 × 2 pixels, of all channels' sum and of the first. */
function enlarged({ data, shape }: Floats): Promise<Floats> {
  const [, channels, height, width] = dims4(shape);
  const image = f32([1, 2, 2 * height, 2 * width]);
  for (let y = 0; y < 2 * height; y++)
    for (let x = 0; x < 2 * width; x++) {
      const at = Math.floor(y / 2) * width + Math.floor(x / 2);
      const values = Array.from({ length: channels }, (_, c) => data[c * height * width + at] as number);
      image.data[y * 2 * width + x] = values.reduce((a, b) => a + b);
      image.data[4 * height * width + y * 2 * width + x] = values[0] as number;
    }
  return Promise.resolve(image);
}

function waves(height: number, width: number): Floats {
  const latents = f32([1, 4, height, width]);
  latents.data.forEach((_, i) => (latents.data[i] = Math.sin(12.9898 * (i + 1))));
  return latents;
}

it.each([
  [64, 64],
  [65, 200],
  [96, 130],
  [300, 40],
])(
  'tiles of %i × %i latents give what one decode gives, where no pixel looks at its neighbours',
  async (h, w) => {
    const latents = waves(h, w);
    const sides = new Set<string>();
    const tiled = await decodeTiled(latents, (tile) => {
      sides.add(tile.shape.join());
      return enlarged(tile);
    });
    const whole = await enlarged(latents);
    expect(tiled.shape).toEqual(whole.shape);
    for (const [i, value] of tiled.data.entries()) expect(value).toBeCloseTo(whole.data[i] as number, 5);
    // One session decodes all of them.
    expect(sides.size).toBe(1);
  },
);

it('tiles cover the whole, and overlap by a quarter at least', () => {
  for (const length of [1, 63, 64, 65, 100, 112, 113, 128, 1000]) {
    const starts = tileStarts(length);
    expect(starts[0]).toBe(0);
    expect((starts.at(-1) as number) + 64).toBeGreaterThanOrEqual(length);
    for (const [i, start] of starts.entries())
      if (i > 0) expect((starts[i - 1] as number) + 64 - start).toBeGreaterThanOrEqual(15);
  }
});
