import type { CatalogEntry } from './catalog.ts';
import { readCatalogs } from './catalog.ts';
import { luminance, nameColor, namedColors, saturation } from './colors.ts';
import type { ColorName, Rgb } from './colors.ts';
import { loadObj } from './loadObj.ts';
import { standUpright, triangleAreas } from './mesh.ts';
import type { Material, Mesh } from './mesh.ts';
import { namedObjects } from './objectNouns.ts';
import type { NamedObject } from './objectNouns.ts';
import type { Random } from './random.ts';

/** A thing that can be photographed. */
export interface Subject extends NamedObject {
  load(random: Random): Promise<{ mesh: Mesh; color?: ColorName }>;
  entry?: CatalogEntry;
}

const glassy = new Set([
  'glass',
  'bottle',
  'wine bottle',
  'beer bottle',
  'fish tank',
  'table',
  'mug',
  'sunglasses',
  'vase',
]);

/** The catalogue models of the curated list, in its order; a listed model that the package lacks is an error. */
export function catalogSubjects(cache: string): Subject[] {
  const entries = new Map(readCatalogs(cache).map((e) => [e.id, e]));
  return namedObjects.map((object) => {
    const entry = entries.get(object.id);
    if (!entry) throw new Error(`The catalogue has no model ${object.id}.`);
    return {
      ...object,
      entry,
      async load() {
        const mesh = await loadObj(entry.file);
        standUpright(mesh, [entry.width, entry.height, entry.depth], entry.rotation);
        // Half-transparent wood and plastic are slips of the pen; real glass is clearer.
        if (!glassy.has(object.nouns.at(-1) ?? '')) {
          for (const material of mesh.materials) if (material.opacity >= 0.5) material.opacity = 1;
        }
        return { mesh };
      },
    };
  });
}

function meanColor(material: Material): Rgb {
  const base = material.texture?.mean ?? [1, 1, 1];
  return material.color.map((c, k) => c * (base[k] ?? 1)) as Rgb;
}

/** Coats that animals come in, as factors on the texture; named in captions. */
const coats: { color?: ColorName; factor: Rgb }[] = [
  { factor: [1, 1, 1] },
  { factor: [1.1, 0.95, 0.85] },
  { color: 'brown', factor: [0.5, 0.36, 0.26] },
  { color: 'black', factor: [0.09, 0.085, 0.085] },
  { color: 'gray', factor: [0.5, 0.55, 0.62] },
  { color: 'white', factor: [1.5, 1.75, 2.1] },
];
const furry = new Set(['dog', 'cat', 'horse', 'rabbit']);

/** A mesh a little wider, taller or deeper than the model: more bodies for one noun. */
export function stretch(mesh: Mesh, random: Random): Mesh {
  const by = [random.range(0.9, 1.12), random.range(0.9, 1.12), random.range(0.9, 1.12)] as const;
  const positions = mesh.positions.map((v, i) => v * (by[i % 3] ?? 1));
  return { ...mesh, positions };
}

export interface Painted {
  mesh: Mesh;
  /** The colour that a caption may name; absent when two people would name it differently. */
  color?: ColorName;
}

/**
 * Finds the colour that most of the surface has. Objects that are mostly grey or plain are often repainted in a
 * named colour: every material whose colour is that main one changes hue and keeps its own shading.
 */
export function paint(mesh: Mesh, random: Random, object: NamedObject): Painted {
  if (furry.has(object.nouns[0] ?? '')) {
    const coat = random.pick(coats);
    const materials = mesh.materials.map((m) => (m.texture ? { ...m, color: coat.factor } : m));
    return { mesh: { ...mesh, materials }, ...(coat.color ? { color: coat.color } : {}) };
  }
  if (object.natural) return { mesh };
  const areas = triangleAreas(mesh);
  const surface = new Float64Array(mesh.materials.length);
  for (let t = 0; t < mesh.triangles; t++)
    surface[mesh.material[t] as number] =
      (surface[mesh.material[t] as number] as number) + (areas[t] as number);
  const opaque = mesh.materials.map((m, k) =>
    m.opacity > 0.6 && !m.texture?.cutout ? (surface[k] as number) : 0,
  );
  const total = surface.reduce((a, b) => a + b, 0);
  const main = opaque.indexOf(Math.max(...opaque));
  const mainMaterial = mesh.materials[main];
  if (!mainMaterial || (opaque[main] as number) <= 0) return { mesh };
  const mainColor = meanColor(mainMaterial);
  const near = mesh.materials.map((m, k) => {
    const c = meanColor(m);
    const apart = Math.hypot(...c.map((v, i) => Math.sqrt(v) - Math.sqrt(mainColor[i] ?? 0)));
    return (
      (opaque[k] as number) > 0 &&
      (apart < 0.16 ||
        (saturation(mainColor) < 0.16 &&
          saturation(c) < 0.16 &&
          Math.abs(luminance(...c) - luminance(...mainColor)) < 0.35))
    );
  });
  const share = near.reduce((sum, yes, k) => sum + (yes ? (surface[k] as number) : 0), 0) / total;
  const grey = saturation(mainColor) < 0.16;
  const flat = !mainMaterial.texture;
  const named = share > 0.45 ? nameColor(mainColor) : null;
  if (share < 0.4 || !random.chance(grey ? 0.62 : flat ? 0.35 : 0))
    return { mesh, ...(named ? { color: named } : {}) };
  const name = random.pick([
    'red',
    'red',
    'orange',
    'yellow',
    'green',
    'turquoise',
    'blue',
    'blue',
    'purple',
    'pink',
    'brown',
    'black',
    'white',
  ] as const);
  const target = namedColors[name].map((c) => c * random.range(0.85, 1.12)) as Rgb;
  const level = Math.max(0.03, luminance(...mainColor));
  const materials = mesh.materials.map((m, k) => {
    if (!near[k]) return m;
    // Shading that the texture holds is kept as a factor round the new colour.
    const factor = m.texture
      ? 1 / Math.max(0.03, luminance(...m.texture.mean))
      : Math.min(1.5, Math.max(0.6, luminance(...meanColor(m)) / level));
    return { ...m, color: target.map((c) => Math.min(m.texture ? 8 : 0.95, c * factor)) as Rgb };
  });
  return { mesh: { ...mesh, materials }, color: name };
}
