import { describe, expect, it } from 'vitest';
import { sizesOf } from '../../../src-renderer/features/generate/choices.ts';

const values = (...about: Parameters<typeof sizesOf>) => sizesOf(...about).map(({ value }) => value);

describe('the sizes that Generate offers', () => {
  it('begin with the model’s own, then a portrait, a landscape and a larger square', () => {
    expect(values({ width: 512, height: 512 }, null)).toEqual(['', '384x512', '512x384', '768x768']);
    expect(sizesOf({ width: 512, height: 512 }, null)[0]?.label).toBe('512 × 512');
  });

  it('are multiples of 64, as every U-Net of the family needs', () => {
    for (const side of [64, 128, 320, 512, 768, 1000])
      for (const value of values({ width: side, height: side }, null).slice(1))
        for (const pixels of value.split('x').map(Number))
          if (pixels !== side) expect(pixels % 64, `${side}: ${value}`).toBe(0);
  });

  it('include what is chosen, once', () => {
    const chosen = { width: 640, height: 448 };
    expect(values({ width: 512, height: 512 }, chosen)).toContain('640x448');
    expect(values({ width: 512, height: 512 }, { width: 384, height: 512 })).toHaveLength(4);
  });

  it('name a size of 512 where no model is known', () => {
    expect(sizesOf(undefined, null)[0]).toEqual({ value: '', label: '512 × 512' });
  });
});
