export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A picture's size in whole pixels after scaling; no side vanishes. */
export function scaledSize({ width, height }: Size, scale: number): Size {
  const scaled = (side: number): number => Math.max(1, Math.round(side * scale));
  return { width: scaled(width), height: scaled(height) };
}
