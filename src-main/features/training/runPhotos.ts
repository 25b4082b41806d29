import { copyFile, link, rm } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { problem } from '../../../src-shared/messages/index.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import type { Library } from '../../storage/library.ts';

/**
 * Lays a run's own photos out in `RUN/photos`: the squares people drew, the other photos as they are. What happens to the subject's
 * photos later does not touch the run. Errors: `photos.tooFew`.
 */
export async function layOutPhotos(
  { folder, photos }: Library,
  subject: Subject,
  run: string,
): Promise<void> {
  const usable = photos.list(subject.id).filter(({ missing }) => !missing);
  if (usable.length === 0) throw problem('photos.tooFew', { name: subject.name });
  await rm(folder.at(run, 'photos'), { recursive: true, force: true });
  const out = folder.make(run, 'photos');
  for (const { name, crop } of usable) {
    const file = path.join(folder.photos(subject), name);
    if (crop)
      await sharp(file)
        .autoOrient()
        .extract({ left: crop.x, top: crop.y, width: crop.side, height: crop.side })
        .png()
        .toFile(path.join(out, `${path.parse(name).name}.png`));
    else await link(file, path.join(out, name)).catch(() => copyFile(file, path.join(out, name)));
  }
}
