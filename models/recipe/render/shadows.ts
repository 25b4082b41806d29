import { cross, normalize } from './camera.ts';
import type { Vector } from './camera.ts';
import type { Mesh } from './mesh.ts';
import { drawTriangle, emptyVisibility } from './rasterize.ts';
import type { Visibility } from './rasterize.ts';

const mapSize = 160;
const groundSize = 96;
/** The ground map covers [-reach, reach]² round the object, whose longest side is 1. */
const reach = 1.6;

/** Depth seen along a direction; answers whether a point lies behind something. */
interface DepthMap {
  seen: Visibility;
  toMap(x: number, y: number, z: number): Vector;
}

function depthMap(mesh: Mesh, towards: Vector): DepthMap {
  const helper: Vector = Math.abs(towards[1]) > 0.95 ? [1, 0, 0] : [0, 1, 0];
  const right = normalize(cross(helper, towards));
  const up = cross(towards, right);
  const half = 1.0;
  const toMap = (x: number, y: number, z: number): Vector => {
    const yy = y - 0.4;
    return [
      ((x * right[0] + yy * right[1] + z * right[2]) / half + 1) * 0.5 * mapSize,
      ((x * up[0] + yy * up[1] + z * up[2]) / half + 1) * 0.5 * mapSize,
      x * towards[0] + yy * towards[1] + z * towards[2],
    ];
  };
  const p = mesh.positions;
  const screen = new Float32Array(p.length);
  for (let i = 0; i < p.length; i += 3)
    screen.set(toMap(p[i] as number, p[i + 1] as number, p[i + 2] as number), i);
  const seen = emptyVisibility(mapSize, mapSize);
  for (let t = 0; t < mesh.triangles; t++) {
    const material = mesh.materials[mesh.material[t] as number];
    if ((material?.opacity ?? 1) > 0.6) drawTriangle(seen, screen, t);
  }
  return { seen, toMap };
}

/** Two passes of a box filter: close enough to a Gaussian. In place. */
export function blur(
  values: Float32Array,
  width: number,
  height: number,
  channels: number,
  radius: number,
): void {
  const r = Math.round(radius);
  if (r < 1) return;
  const line = new Float32Array(Math.max(width, height));
  const pass = (start: number, stride: number, count: number) => {
    let sum = 0;
    const edge = (i: number) => values[start + Math.min(count - 1, Math.max(0, i)) * stride] as number;
    for (let i = -r; i <= r; i++) sum += edge(i);
    for (let i = 0; i < count; i++) {
      line[i] = sum / (2 * r + 1);
      sum += edge(i + r + 1) - edge(i - r);
    }
    for (let i = 0; i < count; i++) values[start + i * stride] = line[i] as number;
  };
  for (let round = 0; round < 2; round++) {
    for (let c = 0; c < channels; c++) {
      for (let y = 0; y < height; y++) pass(y * width * channels + c, channels, width);
      for (let x = 0; x < width; x++) pass(x * channels + c, width * channels, height);
    }
  }
}

export interface Shadows {
  /** 0 (in shadow) to 1 (in the sun) for a point on the object. */
  onObject(x: number, y: number, z: number): number;
  /** How much sun and how much sky reach a point of the ground, 0 to 1 each. */
  onGround(x: number, z: number, out: { sun: number; sky: number }): void;
}

/** Shadows of a mesh in a sun from `sun`; `softness` in ground map pixels. */
export function castShadows(mesh: Mesh, sun: Vector, softness: number): Shadows {
  const fromSun = depthMap(mesh, sun);
  const fromBelow = depthMap(mesh, [0, -1, 0]);
  const covered = (map: DepthMap, x: number, y: number, z: number, bias: number): boolean => {
    const [mx, my, near] = map.toMap(x, y, z);
    const ix = Math.floor(mx);
    const iy = Math.floor(my);
    if (ix < 0 || iy < 0 || ix >= mapSize || iy >= mapSize) return false;
    return (map.seen.nearness[iy * mapSize + ix] as number) > near + bias;
  };
  const sunGround = new Float32Array(groundSize * groundSize);
  const contact = new Float32Array(groundSize * groundSize);
  const dome = new Float32Array(groundSize * groundSize);
  for (let gz = 0; gz < groundSize; gz++) {
    for (let gx = 0; gx < groundSize; gx++) {
      const x = ((gx + 0.5) / groundSize - 0.5) * 2 * reach;
      const z = ((gz + 0.5) / groundSize - 0.5) * 2 * reach;
      const at = gz * groundSize + gx;
      sunGround[at] = covered(fromSun, x, 0, z, 0.004) ? 1 : 0;
      const [mx, my] = fromBelow.toMap(x, 0, z);
      const ix = Math.floor(mx);
      const iy = Math.floor(my);
      const inside = ix >= 0 && iy >= 0 && ix < mapSize && iy < mapSize;
      const lowest = inside ? -(fromBelow.seen.nearness[iy * mapSize + ix] as number) + 0.4 : Infinity;
      contact[at] = Number.isFinite(lowest) ? Math.exp(-Math.max(0, lowest) / 0.06) : 0;
      dome[at] = Number.isFinite(lowest) ? Math.exp(-Math.max(0, lowest) / 0.4) : 0;
    }
  }
  blur(sunGround, groundSize, groundSize, 1, softness);
  blur(contact, groundSize, groundSize, 1, 1);
  blur(dome, groundSize, groundSize, 1, 6);
  const read = (map: Float32Array, x: number, z: number): number => {
    const u = (x / (2 * reach) + 0.5) * groundSize - 0.5;
    const v = (z / (2 * reach) + 0.5) * groundSize - 0.5;
    const x0 = Math.floor(u);
    const y0 = Math.floor(v);
    if (x0 < 0 || y0 < 0 || x0 + 1 >= groundSize || y0 + 1 >= groundSize) return 0;
    const at = y0 * groundSize + x0;
    const top = (map[at] as number) * (1 - u + x0) + (map[at + 1] as number) * (u - x0);
    const low =
      (map[at + groundSize] as number) * (1 - u + x0) + (map[at + groundSize + 1] as number) * (u - x0);
    return top * (1 - v + y0) + low * (v - y0);
  };
  const texel = 2 / mapSize;
  return {
    onObject(x, y, z) {
      let lit = 0;
      for (let k = 0; k < 4; k++) {
        const dx = (k & 1 ? 0.6 : -0.6) * texel;
        const dy = (k & 2 ? 0.6 : -0.6) * texel;
        if (!covered(fromSun, x + dx, y + dy, z - dx, 0.022)) lit++;
      }
      return lit / 4;
    },
    onGround(x, z, out) {
      out.sun = 1 - read(sunGround, x, z);
      out.sky = (1 - 0.6 * read(contact, x, z)) * (1 - 0.5 * read(dome, x, z));
    },
  };
}
