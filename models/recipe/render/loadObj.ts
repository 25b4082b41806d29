import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { linearOf, toLinear } from './colors.ts';
import type { Rgb } from './colors.ts';
import type { Material, Mesh, Texture, TextureLevel } from './mesh.ts';

interface MaterialText {
  material: Material;
  map?: string;
}

/** Sweet Home 3D's fallback for materials that no file defines. */
function plainMaterial(name: string): Material {
  return { name, color: [0.5, 0.5, 0.5], specular: 0, shininess: 20, opacity: 1, emission: 0 };
}

/** Reads the `newmtl` blocks of an MTL text; texture paths stay as written. */
export function parseMtl(text: string): Map<string, MaterialText> {
  const found = new Map<string, MaterialText>();
  let entry: MaterialText | undefined;
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    const [key = '', ...rest] = line.split(/\s+/);
    const numbers = rest.map(Number);
    const [n0 = 0, n1 = 0, n2 = 0] = numbers;
    if (key === 'newmtl') {
      const name = line.slice(7).trim();
      entry = { material: plainMaterial(name) };
      found.set(name, entry);
    } else if (!entry) continue;
    else if (key === 'Kd') entry.material.color = [toLinear(n0), toLinear(n1), toLinear(n2)];
    else if (key === 'Ks') entry.material.specular = Math.min(1, (n0 + n1 + n2) / 3);
    else if (key === 'Ns') entry.material.shininess = Math.min(200, Math.max(2, n0 / 4));
    else if (key === 'd') entry.material.opacity = n0;
    else if (key === 'Ke') entry.material.emission = Math.min(1, (n0 + n1 + n2) / 3);
    else if (key === 'map_Kd') entry.map = rest.filter((w) => !w.startsWith('-')).join(' ');
  }
  return found;
}

/** Decodes a picture file to a texture with its smaller levels; at most 512 pixels a side. */
async function loadTexture(file: string): Promise<Texture> {
  const { data, info } = await sharp(file)
    .resize(512, 512, { fit: 'inside', withoutEnlargement: true })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return textureFrom({ width: info.width, height: info.height, rgba: new Uint8Array(data) });
}

export function textureFrom(full: TextureLevel): Texture {
  const levels = [full];
  for (let last = full; last.width > 4 && last.height > 4;) {
    const width = last.width >> 1;
    const height = last.height >> 1;
    const rgba = new Uint8Array(width * height * 4);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const a = (2 * y * last.width + 2 * x) * 4;
        const b = a + last.width * 4;
        for (let c = 0; c < 4; c++) {
          const sum =
            (last.rgba[a + c] ?? 0) +
            (last.rgba[a + 4 + c] ?? 0) +
            (last.rgba[b + c] ?? 0) +
            (last.rgba[b + 4 + c] ?? 0);
          rgba[(y * width + x) * 4 + c] = (sum + 2) >> 2;
        }
      }
    }
    last = { width, height, rgba };
    levels.push(last);
  }
  const mean: Rgb = [0, 0, 0];
  let weight = 0;
  let clear = 0;
  for (let i = 0; i < full.rgba.length; i += 4) {
    const alpha = (full.rgba[i + 3] ?? 0) / 255;
    if (alpha < 0.5) clear++;
    weight += alpha;
    for (const c of [0, 1, 2] as const) mean[c] += (linearOf[full.rgba[i + c] ?? 0] ?? 0) * alpha;
  }
  for (const c of [0, 1, 2] as const) mean[c] /= Math.max(weight, 1e-6);
  return { levels, mean, cutout: clear > full.rgba.length / 4 / 200 };
}

/** Indices of a face's corner: point, texture coordinate, normal; -1 for none. */
type Corner = readonly [number, number, number];

/** Geometry of an OBJ text: polygons become fans, absent normals become face normals. */
export function parseObj(text: string): {
  mesh: Omit<Mesh, 'materials'>;
  materialNames: string[];
  libraries: string[];
} {
  const v: number[] = [];
  const vt: number[] = [];
  const vn: number[] = [];
  const positions: number[] = [];
  const normals: number[] = [];
  const uvs: number[] = [];
  const material: number[] = [];
  const materialNames: string[] = [];
  const libraries: string[] = [];
  let current = 0;
  const setMaterial = (name: string) => {
    current = materialNames.indexOf(name);
    if (current < 0) current = materialNames.push(name) - 1;
  };
  const index = (word: string | undefined, count: number) => {
    const i = word ? Number(word) : NaN;
    return Number.isNaN(i) ? -1 : i < 0 ? count + i : i - 1;
  };
  for (const raw of text.replace(/\\\r?\n/g, ' ').split('\n')) {
    const line = raw.trim();
    if (line.startsWith('v ') || line.startsWith('vt ') || line.startsWith('vn ')) {
      const words = line.split(/\s+/);
      const to = words[0] === 'v' ? v : words[0] === 'vt' ? vt : vn;
      const n = words[0] === 'vt' ? 2 : 3;
      for (let c = 1; c <= n; c++) to.push(Number(words[c] ?? 0));
    } else if (line.startsWith('f ')) {
      if (materialNames.length === 0) setMaterial('default');
      const corners = line
        .slice(2)
        .trim()
        .split(/\s+/)
        .map((w) => {
          const [a, b, c] = w.split('/');
          return [index(a, v.length / 3), index(b, vt.length / 2), index(c, vn.length / 3)] as const;
        });
      for (let k = 1; k + 1 < corners.length; k++) {
        const triangle = [corners[0], corners[k], corners[k + 1]] as Corner[];
        const [a, b, c] = triangle.map((corner) => corner[0] * 3) as [number, number, number];
        const ux = (v[b] as number) - (v[a] as number);
        const uy = (v[b + 1] as number) - (v[a + 1] as number);
        const uz = (v[b + 2] as number) - (v[a + 2] as number);
        const wx = (v[c] as number) - (v[a] as number);
        const wy = (v[c + 1] as number) - (v[a + 1] as number);
        const wz = (v[c + 2] as number) - (v[a + 2] as number);
        const nx = uy * wz - uz * wy;
        const ny = uz * wx - ux * wz;
        const nz = ux * wy - uy * wx;
        const length = Math.hypot(nx, ny, nz);
        if (!(length > 1e-15)) continue;
        for (const [point, uv, normal] of triangle) {
          positions.push(v[point * 3] as number, v[point * 3 + 1] as number, v[point * 3 + 2] as number);
          uvs.push(uv >= 0 ? (vt[uv * 2] ?? 0) : 0, uv >= 0 ? (vt[uv * 2 + 1] ?? 0) : 0);
          const x = normal >= 0 ? (vn[normal * 3] ?? 0) : 0;
          const y = normal >= 0 ? (vn[normal * 3 + 1] ?? 0) : 0;
          const z = normal >= 0 ? (vn[normal * 3 + 2] ?? 0) : 0;
          if (x * x + y * y + z * z < 0.01) normals.push(nx / length, ny / length, nz / length);
          else normals.push(x, y, z);
        }
        material.push(current);
      }
    } else if (line.startsWith('usemtl ')) setMaterial(line.slice(7).trim());
    else if (line.startsWith('mtllib ')) libraries.push(line.slice(7).trim());
  }
  const mesh = {
    triangles: material.length,
    positions: Float32Array.from(positions),
    normals: Float32Array.from(normals),
    uvs: Float32Array.from(uvs),
    material: Uint16Array.from(material),
  };
  return { mesh, materialNames, libraries };
}

/** Loads an OBJ file with its materials and textures; texture files that are not there leave the plain colour. */
export async function loadObj(file: string): Promise<Mesh> {
  const { mesh, materialNames, libraries } = parseObj(readFileSync(file, 'latin1'));
  const folder = dirname(file);
  const texts = libraries.map((l) => join(folder, l)).filter((f) => existsSync(f));
  const known = new Map(texts.flatMap((f) => [...parseMtl(readFileSync(f, 'latin1'))]));
  const textures = new Map<string, Texture>();
  const materials: Material[] = [];
  for (const name of materialNames) {
    const entry = known.get(name);
    const material = { ...(entry?.material ?? plainMaterial(name)) };
    const map = entry?.map ? join(folder, entry.map) : undefined;
    if (map && existsSync(map)) {
      const texture = textures.get(map) ?? (await loadTexture(map));
      textures.set(map, texture);
      material.texture = texture;
      material.color = [1, 1, 1];
    }
    materials.push(material);
  }
  return { ...mesh, materials };
}
