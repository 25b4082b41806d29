/** Smooth noise on the plane, from a hash of the lattice; all values in [0, 1]. */
function hash(x: number, y: number, seed: number): number {
  let h = Math.imul(x, 374761393) ^ Math.imul(y, 668265263) ^ Math.imul(seed, 2147483647 - 1);
  h = Math.imul(h ^ (h >>> 13), 1274126177);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

export function noise(x: number, y: number, seed: number): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  let fx = x - x0;
  let fy = y - y0;
  fx = fx * fx * (3 - 2 * fx);
  fy = fy * fy * (3 - 2 * fy);
  const top = hash(x0, y0, seed) * (1 - fx) + hash(x0 + 1, y0, seed) * fx;
  const low = hash(x0, y0 + 1, seed) * (1 - fx) + hash(x0 + 1, y0 + 1, seed) * fx;
  return top * (1 - fy) + low * fy;
}

/** Sum of octaves, each twice as fine and half as strong. */
export function fractalNoise(x: number, y: number, octaves: number, seed: number): number {
  let sum = 0;
  let total = 0;
  let strength = 1;
  for (let k = 0; k < octaves; k++) {
    sum += strength * noise(x, y, seed + k);
    total += strength;
    strength /= 2;
    x = x * 2 + 17.1;
    y = y * 2 + 9.7;
  }
  return sum / total;
}

export interface Cell {
  /** Distance to the nearest seed point and to the second nearest. */
  nearest: number;
  second: number;
  /** A number in [0, 1] that is the cell's own. */
  value: number;
}

/** Cellular noise (Worley 1996): stones, leaves, flowers. */
export function cells(x: number, y: number, seed: number, out: Cell): void {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  out.nearest = 9;
  out.second = 9;
  for (let j = -1; j <= 1; j++) {
    for (let i = -1; i <= 1; i++) {
      const px = x0 + i + 0.15 + 0.7 * hash(x0 + i, y0 + j, seed);
      const py = y0 + j + 0.15 + 0.7 * hash(x0 + i, y0 + j, seed + 1);
      const d = Math.hypot(px - x, py - y);
      if (d < out.nearest) {
        out.second = out.nearest;
        out.nearest = d;
        out.value = hash(x0 + i, y0 + j, seed + 2);
      } else if (d < out.second) out.second = d;
    }
  }
}
