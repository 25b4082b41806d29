import { describe, expect, it } from 'vitest';
import { centred, fit } from '../../../src-renderer/features/subjects/cropGeometry.ts';

describe('a crop', () => {
  it.each([
    [
      { width: 300, height: 200 },
      { x: 50, y: 0, side: 200 },
    ],
    [
      { width: 201, height: 300 },
      { x: 0, y: 49, side: 201 },
    ],
  ])('begins as the largest square in the middle of %j', (photo, crop) => {
    expect(centred(photo)).toEqual(crop);
  });

  it.each([
    [
      { x: -5, y: 500, side: 100 },
      { x: 0, y: 100, side: 100 },
    ],
    [
      { x: 0, y: 0, side: 5000 },
      { x: 0, y: 0, side: 200 },
    ],
    [
      { x: 10, y: 10, side: 1 },
      { x: 10, y: 10, side: 32 },
    ],
    [
      { x: 1.4, y: 1.6, side: 99.5 },
      { x: 1, y: 2, side: 100 },
    ],
  ])('%j stays inside the photo, in whole pixels', (wanted, crop) => {
    expect(fit({ width: 300, height: 200 }, wanted)).toEqual(crop);
  });

  it('of a photo smaller than the smallest crop is all of it', () => {
    expect(fit({ width: 20, height: 24 }, { x: 3, y: 3, side: 5 })).toEqual({ x: 0, y: 3, side: 20 });
  });
});
