import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { needFile } from '../paths.ts';

/** One 3D model of the Sweet Home 3D catalogues. Sizes in centimetres. */
export interface CatalogEntry {
  /** `<set>/<folder or file name>`: stable across versions of the package, unlike the catalogue's numbers. */
  id: string;
  name: string;
  creator: string;
  licence: string;
  /** Path of the .obj file. */
  file: string;
  width: number;
  depth: number;
  height: number;
  /** Row-major 3×3 rotation that stands the model upright; absent means none. */
  rotation?: number[];
}

export const furnitureSets = [
  { name: 'BlendSwap-CC-0', licence: 'CC0 1.0' },
  { name: 'BlendSwap-CC-BY', licence: 'CC BY 3.0' },
  { name: 'KatorLegaz', licence: 'CC BY 3.0 US' },
  { name: 'Reallusion', licence: 'CC BY 3.0' },
  { name: 'Scopia', licence: 'CC BY 3.0' },
] as const;

/** Models whose own licence file says CC BY although their set says CC0. */
const byAttribution = new Set(['winchesterArmchair', 'winchesterSofa']);

/** Parses a `PluginFurnitureCatalog.properties` text into its numbered records. */
export function parseCatalog(text: string): Record<string, string>[] {
  const records = new Map<number, Record<string, string>>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^(\w+)#(\d+)\s*=\s*(.*)$/.exec(line.trim());
    if (!match) continue;
    const index = Number(match[2]);
    const record = records.get(index) ?? {};
    record[match[1] ?? ''] = match[3] ?? '';
    records.set(index, record);
  }
  return [...records.entries()].sort((a, b) => a[0] - b[0]).map(([, record]) => record);
}

/** All models of all sets, in the catalogues' order. */
export function readCatalogs(cache: string): CatalogEntry[] {
  const entries: CatalogEntry[] = [];
  for (const set of furnitureSets) {
    const folder = join(cache, 'models', set.name);
    const text = readFileSync(needFile(join(folder, 'PluginFurnitureCatalog.properties')), 'latin1');
    for (const record of parseCatalog(text)) {
      const model = record['model'];
      if (!model) continue;
      const key = (record['id'] ?? model).split('#').at(-1) ?? '';
      const short =
        key === (record['id'] ?? '') && /^\d+$/.test(key) ? model : (model.split('/').at(-1) ?? '');
      const label = short.replace(/\.obj$/i, '');
      const rotation = record['modelRotation']?.split(/\s+/).map(Number);
      entries.push({
        id: `${set.name}/${label}`,
        name: record['name'] ?? label,
        creator: record['creator'] ?? set.name,
        licence: byAttribution.has(label) ? 'CC BY 3.0' : set.licence,
        file: join(folder, model),
        width: Number(record['width'] ?? 100),
        depth: Number(record['depth'] ?? 100),
        height: Number(record['height'] ?? 100),
        ...(rotation?.length === 9 ? { rotation } : {}),
      });
    }
  }
  return entries;
}
