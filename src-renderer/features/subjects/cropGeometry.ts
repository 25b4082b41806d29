import type { Crop } from '../../../src-shared/domain/photo.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Smallest side of a crop made by hand. */
const least = 32;

/** The largest square in the middle. */
export function centred({ width, height }: Size): Crop {
  const side = Math.min(width, height);
  return { x: Math.floor((width - side) / 2), y: Math.floor((height - side) / 2), side };
}

/** The nearest crop in whole pixels that lies inside the picture. */
export function fit({ width, height }: Size, { x, y, side }: Crop): Crop {
  const most = Math.min(width, height);
  const inside = Math.round(Math.min(most, Math.max(Math.min(least, most), side)));
  return {
    x: Math.round(Math.min(width - inside, Math.max(0, x))),
    y: Math.round(Math.min(height - inside, Math.max(0, y))),
    side: inside,
  };
}
