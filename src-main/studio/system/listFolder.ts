import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Output } from '../../../src-shared/contract/index.ts';
import { hubCache } from '../../features/download/hubCache.ts';
import { givenPath } from '../../places.ts';

const mostEntries = 2000;

/** A folder for the picker in the browser. `asked` may be a file: then its folder is listed. */
export async function listFolder(asked = os.homedir(), hidden = false): Promise<Output<'system.list'>> {
  const full = givenPath(asked);
  const isFile = (await stat(full)).isFile();
  const place = isFile ? path.dirname(full) : full;
  const parent = path.dirname(place);
  const found = await readdir(place, { withFileTypes: true });
  const entries = await Promise.all(
    found
      .filter(({ name }) => hidden || !name.startsWith('.'))
      .map(async (entry) => ({ name: entry.name, folder: await kindOf(place, entry) })),
  );
  return {
    path: place,
    file: isFile ? full : null,
    places: placesWorthOffering(),
    parent: parent === place ? null : parent,
    entries: entries
      .flatMap(({ name, folder }) => (folder === undefined ? [] : [{ name, folder }]))
      .sort((a, b) => Number(b.folder) - Number(a.folder) || a.name.localeCompare(b.name))
      .slice(0, mostEntries),
  };
}

interface Entry {
  readonly name: string;
  isDirectory: () => boolean;
  isFile: () => boolean;
  isSymbolicLink: () => boolean;
}

/** True for a folder, false for a file, links followed: the Hub's cache is made of links. Nothing for anything else. */
async function kindOf(place: string, entry: Entry): Promise<boolean | undefined> {
  const about = entry.isSymbolicLink()
    ? await stat(path.join(place, entry.name)).catch(() => undefined)
    : entry;
  if (about?.isDirectory()) return true;
  return about?.isFile() ? false : undefined;
}

function placesWorthOffering(): Output<'system.list'>['places'] {
  const hub = hubCache();
  return [
    { kind: 'home', path: os.homedir() },
    ...(existsSync(hub) ? [{ kind: 'hub' as const, path: hub }] : []),
  ];
}
