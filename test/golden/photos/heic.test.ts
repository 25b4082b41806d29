import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { loadOpacity, loadPicture } from '../../../src-main/engine/pictures/pictures.ts';

const fixtures = fileURLToPath(new URL('../fixtures/heic/', import.meta.url));

describe("a phone's HEIC photos, against Pillow", () => {
  it.each(['plain', 'turned', 'p3', 'second'])('%s', async (name) => {
    const { width, height, data } = await loadPicture(`${fixtures}${name}.heic`);
    const shown = await sharp(`${fixtures}${name}.png`).raw().toBuffer({ resolveWithObject: true });
    expect([width, height]).toEqual([shown.info.width, shown.info.height]);
    const worst = data.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - (shown.data[i] as number))),
      0,
    );
    expect(worst).toBeLessThanOrEqual(6);
  });

  it('opaque on the left, transparent on the right', async () => {
    const opacity = await loadOpacity(`${fixtures}alpha.heic`);
    expect([opacity?.data[0], opacity?.data.at(-1)]).toEqual([255, 0]);
    expect(await loadOpacity(`${fixtures}plain.heic`)).toBeUndefined();
  });
});
