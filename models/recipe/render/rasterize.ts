/** What each pixel of a picture sees: the nearest triangle, by number. */
export interface Visibility {
  width: number;
  height: number;
  /** Greater is nearer: 1/distance for a camera, minus the distance along the axis for a parallel projection. */
  nearness: Float32Array;
  /** Triangle seen, -1 for none. */
  triangle: Int32Array;
}

export function emptyVisibility(width: number, height: number): Visibility {
  return {
    width,
    height,
    nearness: new Float32Array(width * height).fill(-Infinity),
    triangle: new Int32Array(width * height).fill(-1),
  };
}

/** Asked for each pixel that passes the depth test, with its barycentric weights; false leaves the pixel alone. */
export type Accept = (triangle: number, pixel: number, w0: number, w1: number, w2: number) => boolean;

/**
 * Z-buffer rasterization of one triangle. `screen` holds x, y (pixels) and nearness for each of its three corners,
 * at `triangle × 9`; a NaN corner (behind the camera) drops the triangle. Both windings are drawn.
 */
export function drawTriangle(
  target: Visibility,
  screen: Float32Array,
  triangle: number,
  accept?: Accept,
): void {
  const at = triangle * 9;
  const ax = screen[at] as number;
  const ay = screen[at + 1] as number;
  const an = screen[at + 2] as number;
  const bx = screen[at + 3] as number;
  const by = screen[at + 4] as number;
  const bn = screen[at + 5] as number;
  const cx = screen[at + 6] as number;
  const cy = screen[at + 7] as number;
  const cn = screen[at + 8] as number;
  const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  if (!(Math.abs(area) > 1e-9)) return;
  const { width, height, nearness } = target;
  const x0 = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 0.5));
  const x1 = Math.min(width - 1, Math.floor(Math.max(ax, bx, cx) - 0.5));
  const y0 = Math.max(0, Math.ceil(Math.min(ay, by, cy) - 0.5));
  const y1 = Math.min(height - 1, Math.floor(Math.max(ay, by, cy) - 0.5));
  const inverse = 1 / area;
  const w1x = (cy - ay) * inverse;
  const w1y = -(cx - ax) * inverse;
  const w2x = -(by - ay) * inverse;
  const w2y = (bx - ax) * inverse;
  for (let y = y0; y <= y1; y++) {
    for (let x = x0; x <= x1; x++) {
      const dx = x + 0.5 - ax;
      const dy = y + 0.5 - ay;
      const w1 = dx * w1x + dy * w1y;
      const w2 = dx * w2x + dy * w2y;
      const w0 = 1 - w1 - w2;
      if (w0 < 0 || w1 < 0 || w2 < 0) continue;
      const near = w0 * an + w1 * bn + w2 * cn;
      const pixel = y * width + x;
      if (near <= (nearness[pixel] as number)) continue;
      if (accept && !accept(triangle, pixel, w0, w1, w2)) continue;
      nearness[pixel] = near;
      target.triangle[pixel] = triangle;
    }
  }
}
