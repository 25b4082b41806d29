import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { problem } from '../../../../src-shared/messages/index.ts';
import { claimsPicture } from '../../pictures/pictureKinds.ts';
import { listPictures } from '../../pictures/pictures.ts';
import { kohyaFolder } from './kohyaFolder.ts';
import { masksFolder } from './masks.ts';

/**
 * As `listPictures`; a folder without any is an error too: `photos.none` (of the class: `photos.noneOfClass`), `photos.inSubfolder`,
 * `photos.kohya`.
 */
export async function listPhotos(folder: string, of: 'subject' | 'class' = 'subject'): Promise<string[]> {
  const photos = await listPictures(folder);
  if (photos.length > 0) return photos;
  const entries = await readdir(folder, { withFileTypes: true });
  for (const { name } of entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))) {
    const below = join(folder, name);
    const names = await readdir(below).catch(() => []);
    const count = names.filter((one) => claimsPicture.test(one)).length;
    if (count === 0 || name === masksFolder) continue;
    const kohya = kohyaFolder(name);
    throw kohya
      ? problem('photos.kohya', { folder: below, ...kohya })
      : problem('photos.inSubfolder', { folder, below, count });
  }
  throw problem(of === 'class' ? 'photos.noneOfClass' : 'photos.none', { folder });
}
