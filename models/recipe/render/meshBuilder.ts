import type { Rgb } from './colors.ts';
import { srgbByte } from './colors.ts';
import { cross, normalize } from './camera.ts';
import type { Vector } from './camera.ts';
import { textureFrom } from './loadObj.ts';
import { bounds, standUpright } from './mesh.ts';
import type { Material, Mesh, Texture } from './mesh.ts';

export interface Finish {
  specular?: number;
  shininess?: number;
  opacity?: number;
  emission?: number;
  texture?: Texture;
}

/** A texture drawn by a function of (u, v) in [0, 1]², v up. */
export function drawTexture(side: number, draw: (u: number, v: number) => Rgb): Texture {
  const rgba = new Uint8Array(side * side * 4);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const color = draw((x + 0.5) / side, 1 - (y + 0.5) / side);
      for (const c of [0, 1, 2] as const) rgba[(y * side + x) * 4 + c] = srgbByte(color[c]);
      rgba[(y * side + x) * 4 + 3] = 255;
    }
  }
  return textureFrom({ width: side, height: side, rgba });
}

interface Corner {
  p: Vector;
  n: Vector;
  u: number;
  v: number;
}

/** Builds meshes from simple solids. Angles in radians. */
export class MeshBuilder {
  readonly #materials: Material[] = [];
  readonly #positions: number[] = [];
  readonly #normals: number[] = [];
  readonly #uvs: number[] = [];
  readonly #material: number[] = [];

  /** Adds a material and answers its number. */
  material(color: Rgb, finish: Finish = {}): number {
    return (
      this.#materials.push({
        name: `m${this.#materials.length}`,
        color: finish.texture ? [1, 1, 1] : color,
        specular: 0.1,
        shininess: 30,
        opacity: 1,
        emission: 0,
        ...finish,
      }) - 1
    );
  }

  /** A grid of points with normals from its neighbours; `at(u, v)` with u and v in [0, 1]. */
  surface(at: (u: number, v: number) => Vector, columns: number, rows: number, material: number): void {
    const step = 1e-3;
    const corner = (i: number, j: number): Corner => {
      const u = i / columns;
      const v = j / rows;
      const p = at(u, v);
      const vv = Math.min(1 - 2 * step, Math.max(2 * step, v));
      const a = at(u - step, vv);
      const b = at(u + step, vv);
      const c = at(u, vv - step);
      const d = at(u, vv + step);
      const n = normalize(
        cross([b[0] - a[0], b[1] - a[1], b[2] - a[2]], [d[0] - c[0], d[1] - c[1], d[2] - c[2]]),
      );
      return { p, n, u, v };
    };
    const wide = columns + 1;
    const grid = Array.from({ length: wide * (rows + 1) }, (_, k) => corner(k % wide, Math.floor(k / wide)));
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++) {
        const k = j * wide + i;
        const q = [grid[k], grid[k + 1], grid[k + wide + 1], grid[k + wide]] as [
          Corner,
          Corner,
          Corner,
          Corner,
        ];
        for (const triangle of [
          [q[0], q[1], q[2]],
          [q[0], q[2], q[3]],
        ]) {
          for (const { p, n, u, v } of triangle) {
            this.#positions.push(...p);
            this.#normals.push(...n);
            this.#uvs.push(u, v);
          }
          this.#material.push(material);
        }
      }
    }
  }

  /** Turns a profile of [radius, height] points, smoothed when asked, about a vertical axis through `center`. */
  lathe(
    profile: [number, number][],
    material: number,
    center: Vector = [0, 0, 0],
    smooth = true,
    sides = 32,
  ): void {
    const at = (t: number): [number, number] => {
      const s = Math.min(profile.length - 1.0001, Math.max(0, t * (profile.length - 1)));
      const k = Math.floor(s);
      const f = s - k;
      const p = (i: number) => profile[Math.min(profile.length - 1, Math.max(0, i))] as [number, number];
      const [a, b, c, d] = [p(k - 1), p(k), p(k + 1), p(k + 2)];
      if (!smooth) return [b[0] + (c[0] - b[0]) * f, b[1] + (c[1] - b[1]) * f];
      const spline = (x: number, y: number, z: number, w: number) =>
        y + 0.5 * f * (z - x + f * (2 * x - 5 * y + 4 * z - w + f * (3 * (y - z) + w - x)));
      return [Math.max(0, spline(a[0], b[0], c[0], d[0])), spline(a[1], b[1], c[1], d[1])];
    };
    const rows = smooth ? (profile.length - 1) * 6 : profile.length - 1;
    this.surface(
      (u, v) => {
        const [r, y] = at(v);
        return [
          center[0] + r * Math.sin(u * 2 * Math.PI),
          center[1] + y,
          center[2] + r * Math.cos(u * 2 * Math.PI),
        ];
      },
      sides,
      rows,
      material,
    );
  }

  /** `tilt` turns the solid about the x axis, `roll` about the z axis. */
  ellipsoid(center: Vector, radii: Vector, material: number, tilt = 0, roll = 0): void {
    this.surface(
      (u, v) => {
        const a = u * 2 * Math.PI;
        const b = (v - 0.5) * Math.PI;
        return place(
          [
            radii[0] * Math.sin(a) * Math.cos(b),
            radii[1] * Math.sin(b),
            radii[2] * Math.cos(a) * Math.cos(b),
          ],
          center,
          tilt,
          roll,
        );
      },
      18,
      12,
      material,
    );
  }

  /** A box with rounded edges: a superellipsoid; `round` 1 is an ellipsoid, 0.1 a sharp box. */
  box(center: Vector, size: Vector, material: number, round = 0.15, tilt = 0, roll = 0): void {
    const power = (v: number) => Math.sign(v) * Math.pow(Math.abs(v), round);
    this.surface(
      (u, v) => {
        const a = u * 2 * Math.PI + Math.PI / 4;
        const b = (v - 0.5) * Math.PI;
        const c = power(Math.cos(b));
        return place(
          [
            (size[0] / 2) * power(Math.sin(a)) * c,
            (size[1] / 2) * power(Math.sin(b)),
            (size[2] / 2) * power(Math.cos(a)) * c,
          ],
          center,
          tilt,
          roll,
        );
      },
      32,
      16,
      material,
    );
  }

  /** A round bar along a path. */
  tube(path: (t: number) => Vector, radius: (t: number) => number, material: number, rows = 16): void {
    this.surface(
      (u, v) => {
        const p = path(v);
        const a = path(v - 1e-3);
        const b = path(v + 1e-3);
        const along = normalize([b[0] - a[0], b[1] - a[1], b[2] - a[2]]);
        const side = normalize(cross(along, Math.abs(along[0]) > 0.9 ? [0, 1, 0] : [1, 0, 0]));
        const up = cross(side, along);
        const r = radius(v);
        const c = Math.cos(u * 2 * Math.PI) * r;
        const s = Math.sin(u * 2 * Math.PI) * r;
        return [
          p[0] + side[0] * c + up[0] * s,
          p[1] + side[1] * c + up[1] * s,
          p[2] + side[2] * c + up[2] * s,
        ];
      },
      10,
      rows,
      material,
    );
  }

  /** A flat disc that faces +z; `texture` coordinates cover its square. */
  disc(center: Vector, radius: number, material: number): void {
    const first = this.#uvs.length;
    this.surface(
      (u, v) => [
        center[0] + radius * v * Math.sin(u * 2 * Math.PI),
        center[1] + radius * v * Math.cos(u * 2 * Math.PI),
        center[2],
      ],
      32,
      1,
      material,
    );
    for (let i = first; i < this.#uvs.length; i += 2) {
      const u = this.#uvs[i] as number;
      const v = this.#uvs[i + 1] as number;
      this.#uvs[i] = 0.5 + 0.5 * v * Math.sin(u * 2 * Math.PI);
      this.#uvs[i + 1] = 0.5 + 0.5 * v * Math.cos(u * 2 * Math.PI);
    }
    for (let i = (first / 2) * 3; i < this.#normals.length; i += 3) {
      this.#normals[i] = 0;
      this.#normals[i + 1] = 0;
      this.#normals[i + 2] = 1;
    }
  }

  build(): Mesh {
    const mesh: Mesh = {
      triangles: this.#material.length,
      positions: Float32Array.from(this.#positions),
      normals: Float32Array.from(this.#normals),
      uvs: Float32Array.from(this.#uvs),
      material: Uint16Array.from(this.#material),
      materials: this.#materials,
    };
    const { min, max } = bounds(mesh.positions);
    standUpright(mesh, [max[0] - min[0], max[1] - min[1], max[2] - min[2]]);
    return mesh;
  }
}

function place([x, y, z]: Vector, center: Vector, tilt: number, roll: number): Vector {
  const y1 = y * Math.cos(tilt) - z * Math.sin(tilt);
  const z1 = y * Math.sin(tilt) + z * Math.cos(tilt);
  const x2 = x * Math.cos(roll) - y1 * Math.sin(roll);
  const y2 = x * Math.sin(roll) + y1 * Math.cos(roll);
  return [center[0] + x2, center[1] + y2, center[2] + z1];
}
