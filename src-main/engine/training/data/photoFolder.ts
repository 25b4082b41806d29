import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { problem, type LikenessError } from '../../../../src-shared/messages/index.ts';
import { orNothing } from '../../../../src-shared/orNothing.ts';
import { isFolder } from '../../checkpoints/files.ts';
import { claimsPicture } from '../../pictures/pictureKinds.ts';
import { listPictures, naturalOrder } from '../../pictures/pictures.ts';
import { kohyaFolder } from './kohyaFolder.ts';
import { masksFolder } from './masks.ts';

/** As `listPictures`; a folder without any is an error too, that of `noPhotosIn`. */
export async function listPhotos(folder: string, of: 'subject' | 'class' = 'subject'): Promise<string[]> {
  const photos = await listPictures(folder);
  if (photos.length === 0) throw await noPhotosIn(folder, of);
  return photos;
}

/**
 * What is wrong with a folder without photos, and where they may be: `photos.kohya`, `photos.inSubfolder`, `photos.inSubfolders`,
 * `photos.inArchive`, else `photos.none` (of the class: `photos.noneOfClass`).
 */
export async function noPhotosIn(
  folder: string,
  of: 'subject' | 'class' = 'subject',
): Promise<LikenessError> {
  const { found, archive } = await lookBelow(folder);
  const ofSubject = of === 'class' ? [] : found.filter(({ name }) => kohyaFolder(name));
  // kohya's projects have the class pictures beside the photos, in a folder without a token.
  const [only, ...others] = ofSubject.length > 0 ? ofSubject : found;
  if (only && others.length > 0) {
    const each = [only, ...others].slice(0, 3).map(({ place, count }) => `${place} (${count})`);
    return problem('photos.inSubfolders', { folder, folders: each.join(', '), more: others.length > 2 });
  }
  const kohya = ofSubject.length > 0 && only ? kohyaFolder(only.name) : undefined;
  if (only && kohya) return problem('photos.kohya', { folder: only.place, ...kohya });
  if (only) return problem('photos.inSubfolder', { folder, below: only.place, count: only.count });
  if (archive !== undefined) return problem('photos.inArchive', { folder, archive });
  return problem(of === 'class' ? 'photos.noneOfClass' : 'photos.none', { folder });
}

interface PhotosBelow {
  readonly place: string;
  readonly name: string;
  readonly count: number;
}

/** A folder of many others, such as a home, is not searched to its end; links in a circle end here too. */
const deepest = 3;
const most = 200;
const isArchive = /\.(zip|7z|rar|tar|tgz|tar\.\w+)$/i;

/** The folders below `folder` with files that claim to be pictures, the nearest first, and an archive in `folder` itself. */
async function lookBelow(folder: string): Promise<{ found: PhotosBelow[]; archive?: string }> {
  const found: PhotosBelow[] = [];
  const queue = [{ place: folder, name: '', depth: 0 }];
  let archive: string | undefined;
  for (const { place, name, depth } of queue) {
    // One that may not be read has no photos for us.
    const names = (await readdir(place).catch(() => [])).filter(isShown).sort(naturalOrder);
    if (depth === 0) archive = names.find((one) => isArchive.test(one));
    let count = 0;
    for (const one of names) {
      const below = join(place, one);
      const claims = claimsPicture.test(one);
      // A folder may be called a.jpg.
      if (!claims && (depth === deepest || queue.length === most)) continue;
      // One that may not be read is none for us.
      if (!orNothing(() => isFolder(below))) count += Number(claims);
      else if (depth < deepest && queue.length < most)
        queue.push({ place: below, name: one, depth: depth + 1 });
    }
    if (count > 0) found.push({ place, name, count });
  }
  return { found, ...(archive !== undefined && { archive: join(folder, archive) }) };
}

/** No hidden files, masks, or what macOS and network storages put beside files. */
function isShown(name: string): boolean {
  return !/^[.@]|^__MACOSX$/.test(name) && name !== masksFolder;
}
