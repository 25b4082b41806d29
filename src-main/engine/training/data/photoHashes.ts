import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { masksOf } from './masks.ts';
import { listPhotos } from './photoFolder.ts';

/** File name → SHA-256 of what is in it, hex; masks as `masks/NAME`. */
export type PhotoHashes = Readonly<Record<string, string>>;

/** The files that a run learns from, by content. Errors: those of `listPhotos`. */
export async function photoHashes(folder: string, withMasks: boolean): Promise<PhotoHashes> {
  const photos = await listPhotos(folder);
  const hashes: Record<string, string> = {};
  for (const photo of photos) hashes[basename(photo)] = await hashOf(photo);
  if (!withMasks) return hashes;
  const { masks } = await masksOf(folder, photos);
  for (const [photo, mask] of masks)
    if (mask !== photo) hashes[`masks/${basename(mask)}`] = await hashOf(mask);
  return hashes;
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** The first file that has changed, is gone or is new, and which of these. */
export function firstChange(
  before: PhotoHashes,
  now: PhotoHashes,
): { readonly name: string; readonly how: string } | undefined {
  for (const [name, hash] of Object.entries(before))
    if (now[name] !== hash)
      return { name, how: now[name] === undefined ? 'is gone' : 'is another picture now' };
  const added = Object.keys(now).find((name) => before[name] === undefined);
  return added === undefined ? undefined : { name: added, how: 'was not there' };
}
