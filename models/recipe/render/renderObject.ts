import { linearOf } from './colors.ts';
import { frameMesh, normalize, projectMesh } from './camera.ts';
import type { Camera, Vector } from './camera.ts';
import { ambientAt, reflectionAt } from './light.ts';
import type { Light } from './light.ts';
import type { Material, Mesh, Texture } from './mesh.ts';
import { drawTriangle, emptyVisibility } from './rasterize.ts';
import type { Shadows } from './shadows.ts';

export { frameMesh };

/** Linear RGBA, colour multiplied by alpha. [size × size × 4] */
export type Layer = Float32Array;

function texelAlpha(texture: Texture, u: number, v: number): number {
  const level = texture.levels[0];
  if (!level) return 1;
  const x = Math.min(level.width - 1, Math.floor((u - Math.floor(u)) * level.width));
  const y = Math.min(level.height - 1, Math.floor((1 - (v - Math.floor(v))) * level.height));
  return (level.rgba[(y * level.width + x) * 4 + 3] as number) / 255;
}

/** Bilinear, linear RGB into `out`, from the level whose texels are about as large as the pixel. */
function sampleTexture(texture: Texture, u: number, v: number, detail: number, out: number[]): void {
  const index = Math.max(0, Math.min(texture.levels.length - 1, Math.round(detail)));
  const level = texture.levels[index];
  if (!level) return;
  const { width, height, rgba } = level;
  const x = (u - Math.floor(u)) * width - 0.5;
  const y = (1 - (v - Math.floor(v))) * height - 0.5;
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const fx = x - x0;
  const fy = y - y0;
  const xa = (x0 + width) % width;
  const xb = (x0 + 1) % width;
  const ya = (y0 + height) % height;
  const yb = (y0 + 1) % height;
  for (let c = 0; c < 3; c++) {
    const a = linearOf[rgba[(ya * width + xa) * 4 + c] as number] as number;
    const b = linearOf[rgba[(ya * width + xb) * 4 + c] as number] as number;
    const d = linearOf[rgba[(yb * width + xa) * 4 + c] as number] as number;
    const e = linearOf[rgba[(yb * width + xb) * 4 + c] as number] as number;
    out[c] = (a * (1 - fx) + b * fx) * (1 - fy) + (d * (1 - fx) + e * fx) * fy;
  }
}

/** Renders the mesh alone: what is not covered stays transparent. `size` is the supersampled side. */
export function renderObject(
  mesh: Mesh,
  camera: Camera,
  light: Light,
  shadows: Shadows,
  size: number,
): Layer {
  const screen = projectMesh(camera, mesh, size);
  const seen = emptyVisibility(size, size);
  const layer: Layer = new Float32Array(size * size * 4);
  const { uvs, normals, positions } = mesh;
  const corner = [0, 0, 0];

  /** Perspective-correct weights of the corners into `corner`. */
  const correct = (t: number, w0: number, w1: number, w2: number) => {
    const a = w0 * (screen[t * 9 + 2] as number);
    const b = w1 * (screen[t * 9 + 5] as number);
    const c = w2 * (screen[t * 9 + 8] as number);
    const sum = a + b + c;
    corner[0] = a / sum;
    corner[1] = b / sum;
    corner[2] = c / sum;
  };
  const mix = (array: Float32Array, at: number, stride: number) =>
    (array[at] as number) * (corner[0] as number) +
    (array[at + stride] as number) * (corner[1] as number) +
    (array[at + 2 * stride] as number) * (corner[2] as number);

  const albedo = [0, 0, 0];
  const soft = [0, 0, 0];
  const mirrored = [0, 0, 0];
  /** Colour of a point of triangle `t` (weights in `corner`) into `out`; returns its opacity. */
  const shade = (t: number, material: Material, out: number[]): number => {
    const at = t * 9;
    const x = mix(positions, at, 3);
    const y = mix(positions, at + 1, 3);
    const z = mix(positions, at + 2, 3);
    let n = normalize([mix(normals, at, 3), mix(normals, at + 1, 3), mix(normals, at + 2, 3)]);
    const toEye = normalize([camera.eye[0] - x, camera.eye[1] - y, camera.eye[2] - z]);
    let facing = n[0] * toEye[0] + n[1] * toEye[1] + n[2] * toEye[2];
    if (facing < 0) {
      n = [-n[0], -n[1], -n[2]];
      facing = -facing;
    }
    if (material.texture) {
      const u = t * 6;
      const level = material.texture.levels[0];
      const uvArea = Math.abs(
        ((uvs[u + 2] as number) - (uvs[u] as number)) * ((uvs[u + 5] as number) - (uvs[u + 1] as number)) -
          ((uvs[u + 3] as number) - (uvs[u + 1] as number)) * ((uvs[u + 4] as number) - (uvs[u] as number)),
      );
      const pixelArea = Math.abs(
        ((screen[at + 3] as number) - (screen[at] as number)) *
          ((screen[at + 7] as number) - (screen[at + 1] as number)) -
          ((screen[at + 4] as number) - (screen[at + 1] as number)) *
            ((screen[at + 6] as number) - (screen[at] as number)),
      );
      const texels = uvArea * (level ? level.width * level.height : 1);
      const detail = texels > 0 ? 0.5 * Math.log2(Math.max(1, texels / Math.max(pixelArea, 0.01))) : 0;
      sampleTexture(material.texture, mix(uvs, u, 2), mix(uvs, u + 1, 2), detail, albedo);
      for (let c = 0; c < 3; c++) albedo[c] = (albedo[c] as number) * (material.color[c] as number);
    } else for (let c = 0; c < 3; c++) albedo[c] = material.color[c] as number;

    const sun = light.sun;
    const toSun = n[0] * sun[0] + n[1] * sun[1] + n[2] * sun[2];
    const lit = toSun > 0 ? toSun * shadows.onObject(x + n[0] * 0.01, y + n[1] * 0.01, z + n[2] * 0.01) : 0;
    ambientAt(light, n, soft);
    // Near the ground less sky is seen.
    const open = 0.68 + 0.32 * Math.min(1, y / 0.35 + 0.35 * Math.max(0, n[1]));
    const d = 2 * facing;
    const r: Vector = [n[0] * d - toEye[0], n[1] * d - toEye[1], n[2] * d - toEye[2]];
    const fresnel = 0.04 + 0.5 * Math.pow(1 - facing, 5);
    const gloss = Math.min(1, material.specular) * 0.5 + (material.opacity < 0.95 ? 0.35 : 0);
    const highlight =
      lit > 0
        ? gloss *
          0.9 *
          Math.pow(Math.max(0, r[0] * sun[0] + r[1] * sun[1] + r[2] * sun[2]), material.shininess)
        : 0;
    if (gloss > 0.02) reflectionAt(light, r, mirrored);
    else mirrored.fill(0);
    const mirror = Math.min(0.6, gloss * (0.12 + fresnel));
    for (let c = 0; c < 3; c++) {
      const diffuse =
        (albedo[c] as number) * ((soft[c] as number) * open + (light.sunColor[c] as number) * lit);
      out[c] =
        diffuse * (1 - mirror) +
        mirror * (mirrored[c] as number) +
        highlight * (light.sunColor[c] as number) +
        material.emission * (albedo[c] as number);
    }
    return Math.min(1, material.opacity + (material.opacity < 0.95 ? fresnel + highlight : 0));
  };

  const materialOf = (t: number) => mesh.materials[mesh.material[t] as number] as Material;
  const through: number[] = [];
  const cutout = (t: number, _pixel: number, w0: number, w1: number, w2: number) => {
    correct(t, w0, w1, w2);
    const { texture } = materialOf(t);
    return !texture || texelAlpha(texture, mix(uvs, t * 6, 2), mix(uvs, t * 6 + 1, 2)) > 0.5;
  };
  for (let t = 0; t < mesh.triangles; t++) {
    const material = materialOf(t);
    if (material.opacity < 0.95) through.push(t);
    else drawTriangle(seen, screen, t, material.texture?.cutout ? cutout : undefined);
  }

  const color = [0, 0, 0];
  for (let pixel = 0; pixel < size * size; pixel++) {
    const t = seen.triangle[pixel] as number;
    if (t < 0) continue;
    const at = t * 9;
    const ax = screen[at] as number;
    const ay = screen[at + 1] as number;
    const ux = (screen[at + 3] as number) - ax;
    const uy = (screen[at + 4] as number) - ay;
    const vx = (screen[at + 6] as number) - ax;
    const vy = (screen[at + 7] as number) - ay;
    const area = ux * vy - uy * vx;
    const dx = (pixel % size) + 0.5 - ax;
    const dy = Math.floor(pixel / size) + 0.5 - ay;
    const w1 = (dx * vy - dy * vx) / area;
    const w2 = (ux * dy - uy * dx) / area;
    correct(t, 1 - w1 - w2, w1, w2);
    shade(t, materialOf(t), color);
    layer[pixel * 4] = color[0] as number;
    layer[pixel * 4 + 1] = color[1] as number;
    layer[pixel * 4 + 2] = color[2] as number;
    layer[pixel * 4 + 3] = 1;
  }

  // Glass: from far to near over what is there; it hides nothing.
  const near = (t: number) =>
    (screen[t * 9 + 2] as number) + (screen[t * 9 + 5] as number) + (screen[t * 9 + 8] as number);
  through.sort((a, b) => near(a) - near(b));
  for (const t of through) {
    const material = materialOf(t);
    drawTriangle(seen, screen, t, (_t, pixel, w0, w1, w2) => {
      correct(t, w0, w1, w2);
      const alpha = shade(t, material, color);
      for (let c = 0; c < 3; c++) {
        layer[pixel * 4 + c] = (layer[pixel * 4 + c] as number) * (1 - alpha) + (color[c] as number) * alpha;
      }
      layer[pixel * 4 + 3] = (layer[pixel * 4 + 3] as number) * (1 - alpha) + alpha;
      return false;
    });
  }
  return layer;
}
