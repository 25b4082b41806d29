import { basename } from 'node:path';
import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { eachSubject } from '../../../../src-shared/domain/runSubjects.ts';
import { fileHash } from '../../checkpoints/contentHash.ts';
import { masksOf } from './masks.ts';
import { listPhotos } from './photoFolder.ts';
import { placeFiles } from './places.ts';

/** File name → SHA-256 of what is in it, hex; masks as `masks/NAME`. */
export type PhotoHashes = Readonly<Record<string, string>>;

/** The files that a run learns from, by content. Errors: those of `listPhotos` and `fileHash`. */
export async function photoHashes(
  folder: string,
  withMasks: boolean,
  of: 'subject' | 'class' = 'subject',
): Promise<PhotoHashes> {
  const photos = await listPhotos(folder, of);
  const hashes: Record<string, string> = {};
  for (const photo of photos) hashes[basename(photo)] = fileHash(photo);
  if (!withMasks) return hashes;
  const { masks } = await masksOf(folder, photos);
  for (const [photo, mask] of masks) if (mask !== photo) hashes[`masks/${basename(mask)}`] = fileHash(mask);
  return hashes;
}

/**
 * The photos and masks of all subjects of a run: those of the second as `subject 2/NAME`, and so on; and the places they are put into, as
 * `places/NAME`. Undefined for a run without photos.
 * Errors: those of `listPhotos`.
 */
export async function learntFrom(settings: FinetuneSettings): Promise<PhotoHashes | undefined> {
  if (settings.photos === undefined) return undefined;
  const hashes: Record<string, string> = {};
  for (const [i, { photos, backgroundWeight }] of eachSubject(settings).entries()) {
    if (photos === undefined) continue;
    for (const [name, hash] of Object.entries(await photoHashes(photos, backgroundWeight !== 1)))
      hashes[prefixOf(i) + name] = hash;
  }
  if (settings.newPlaces)
    for (const file of await placeFiles(settings.model)) hashes[`places/${basename(file)}`] = fileHash(file);
  return hashes;
}

/** Of these, subject `index`'s, by the names in its own folder. */
export function ofSubject(hashes: PhotoHashes | undefined, index: number): PhotoHashes | undefined {
  if (!hashes) return undefined;
  const prefix = prefixOf(index);
  const own = Object.entries(hashes).filter(([name]) =>
    index === 0 ? !/^subject \d+\//.test(name) : name.startsWith(prefix),
  );
  return Object.fromEntries(own.map(([name, hash]) => [name.slice(prefix.length), hash]));
}

const prefixOf = (index: number): string => (index === 0 ? '' : `subject ${index + 1}/`);

/** With names in one Unicode form, since a copy on another system may have the other; not where two would become one. */
function inOneForm(hashes: PhotoHashes): PhotoHashes {
  const all = Object.entries(hashes);
  const one = all.map(([name, hash]) => [name.normalize('NFC'), hash] as const);
  return new Set(one.map(([name]) => name)).size < all.length ? hashes : Object.fromEntries(one);
}

/** The first file that has changed, is gone or is new, and which of these. */
export function firstChange(
  begun: PhotoHashes,
  found: PhotoHashes,
): { readonly name: string; readonly how: string } | undefined {
  const [before, now] = [inOneForm(begun), inOneForm(found)];
  for (const [name, hash] of Object.entries(before))
    if (now[name] !== hash)
      return { name, how: now[name] === undefined ? 'is gone' : 'is another picture now' };
  const added = Object.keys(now).find((name) => before[name] === undefined);
  return added === undefined ? undefined : { name: added, how: 'was not there' };
}
