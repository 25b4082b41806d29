import type { Rgb } from './colors.ts';

/** One level of a texture: RGBA, 8 bits, sRGB, row 0 on top. */
export interface TextureLevel {
  width: number;
  height: number;
  rgba: Uint8Array;
}

export interface Texture {
  /** From full size down, each half the one before. */
  levels: TextureLevel[];
  /** Mean colour, linear, weighted by alpha. */
  mean: Rgb;
  /** Some texels are see-through: leaves, fences. */
  cutout: boolean;
}

export interface Material {
  name: string;
  /** Diffuse colour, linear; ignored where there is a texture. */
  color: Rgb;
  /** Specular strength 0-1 and exponent. */
  specular: number;
  shininess: number;
  /** 1 is opaque. */
  opacity: number;
  /** Light given off by the surface itself. */
  emission: number;
  texture?: Texture;
}

/** Triangles with everything per corner; y is up, +z the front, the base stands at y = 0. */
export interface Mesh {
  triangles: number;
  /** [triangles × 9] */
  positions: Float32Array;
  /** [triangles × 9], unit length */
  normals: Float32Array;
  /** [triangles × 6], v up as in OBJ */
  uvs: Float32Array;
  /** [triangles], index into materials */
  material: Uint16Array;
  materials: Material[];
}

export interface Bounds {
  min: [number, number, number];
  max: [number, number, number];
}

export function bounds(positions: Float32Array): Bounds {
  const min: Bounds['min'] = [Infinity, Infinity, Infinity];
  const max: Bounds['max'] = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < positions.length; i += 3) {
    for (const c of [0, 1, 2] as const) {
      const v = positions[i + c] ?? 0;
      if (v < min[c]) min[c] = v;
      if (v > max[c]) max[c] = v;
    }
  }
  return { min, max };
}

/** Area of each triangle. */
export function triangleAreas(mesh: Mesh): Float32Array {
  const p = mesh.positions;
  const areas = new Float32Array(mesh.triangles);
  for (let t = 0; t < mesh.triangles; t++) {
    const [ax, ay, az, bx, by, bz, cx, cy, cz] = p.subarray(t * 9, t * 9 + 9) as unknown as number[];
    const ux = (bx ?? 0) - (ax ?? 0);
    const uy = (by ?? 0) - (ay ?? 0);
    const uz = (bz ?? 0) - (az ?? 0);
    const vx = (cx ?? 0) - (ax ?? 0);
    const vy = (cy ?? 0) - (ay ?? 0);
    const vz = (cz ?? 0) - (az ?? 0);
    areas[t] = Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx) / 2;
  }
  return areas;
}

/**
 * Turns the mesh upright with `rotation` (row-major 3×3), stretches it to `size` (x, y, z) as the catalogue asks,
 * stands it on y = 0 at the origin and scales it so that its longest side is 1. In place.
 */
export function standUpright(mesh: Mesh, size: [number, number, number], rotation?: number[]): void {
  const { positions, normals } = mesh;
  if (rotation) {
    for (const array of [positions, normals]) {
      for (let i = 0; i < array.length; i += 3) {
        const x = array[i] ?? 0;
        const y = array[i + 1] ?? 0;
        const z = array[i + 2] ?? 0;
        for (let r = 0; r < 3; r++) {
          array[i + r] =
            (rotation[r * 3] ?? 0) * x + (rotation[r * 3 + 1] ?? 0) * y + (rotation[r * 3 + 2] ?? 0) * z;
        }
      }
    }
  }
  const { min, max } = bounds(positions);
  const longest = Math.max(...size);
  const scale = ([0, 1, 2] as const).map((c) => {
    const extent = max[c] - min[c];
    return extent > 1e-9 ? size[c] / longest / extent : 1;
  });
  for (let i = 0; i < positions.length; i += 3) {
    for (const c of [0, 1, 2] as const) {
      const origin = c === 1 ? min[1] : (min[c] + max[c]) / 2;
      positions[i + c] = ((positions[i + c] ?? 0) - origin) * (scale[c] ?? 1);
    }
    // Normals go with the inverse scale.
    const nx = (normals[i] ?? 0) / (scale[0] ?? 1);
    const ny = (normals[i + 1] ?? 0) / (scale[1] ?? 1);
    const nz = (normals[i + 2] ?? 0) / (scale[2] ?? 1);
    const length = Math.hypot(nx, ny, nz) || 1;
    normals[i] = nx / length;
    normals[i + 1] = ny / length;
    normals[i + 2] = nz / length;
  }
}
