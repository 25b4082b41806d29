import { expect, it } from 'vitest';
import { crop, cropRegion } from '../../../src-main/features/generation/cropRegion.ts';
import type { Picture } from '../../../src-main/engine/pictures/pixels.ts';

function masked(width: number, height: number, [x1, y1, x2, y2]: readonly number[]): Picture {
  const isIn = (x: number, y: number): boolean =>
    x >= (x1 as number) && x < (x2 as number) && y >= (y1 as number) && y < (y2 as number);
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return isIn(pixel % width, Math.floor(pixel / width)) ? 255 : 0;
  });
  return { width, height, data };
}

// What diffusers 0.42 answers: VaeImageProcessor.get_crop_region(mask, width, height, pad) as x, y, width, height.
it.each([
  [[100, 80], [30, 20, 60, 30], [64, 64], 8, [22, 2, 46, 46]],
  [[100, 80], [0, 0, 5, 5], [64, 64], 0, [0, 0, 5, 5]],
  [[100, 80], [90, 70, 100, 80], [64, 64], 4, [86, 66, 14, 14]],
  [[100, 80], [0, 10, 100, 20], [64, 64], 0, [0, 0, 100, 80]],
  [[100, 200], [20, 20, 40, 190], [64, 64], 5, [0, 15, 100, 180]],
  [[300, 200], [100, 50, 160, 130], [96, 64], 16, [46, 34, 168, 112]],
  [[300, 200], [240, 150, 299, 199], [64, 96], 10, [230, 95, 70, 105]],
] as const)(
  '%j masked %j, drawn at %j with padding %i: %j',
  ([width, height], box, drawn, padding, region) => {
    const mask = masked(width, height, box);
    const found = cropRegion(mask, { width: drawn[0], height: drawn[1] }, padding);
    expect([found.x, found.y, found.width, found.height]).toEqual(region);
  },
);

it('cuts that part out', () => {
  const picture = { width: 3, height: 2, data: Uint8Array.from({ length: 18 }, (_, i) => i) };
  expect([...crop(picture, { x: 1, y: 1, width: 2, height: 1 }).data]).toEqual([12, 13, 14, 15, 16, 17]);
});
