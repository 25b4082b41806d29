import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, link, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import type { Crop } from '../../../src-shared/domain/photo.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { masksFolder } from '../../engine/training/masks.ts';
import type { Library } from '../../storage/library.ts';

/** A folder for a new run, named after the day, with the photos in it; it has that name once they are all there. Errors: `photos.tooFew`. */
export async function newRunFolder(library: Library, subject: Subject): Promise<string> {
  const { folder } = library;
  const runs = `${subject.folder}/runs`;
  const work = `${runs}/.${randomUUID()}.${process.pid}.tmp`;
  try {
    await layOutPhotos(library, subject, work);
    const place = folder.claim(runs, new Date().toISOString().slice(0, 10));
    await rename(folder.at(work, 'photos'), folder.at(place, 'photos'));
    return place;
  } finally {
    await rm(folder.at(work), { recursive: true, force: true });
  }
}

/**
 * Lays a run's own photos out in `RUN/photos`: the squares people drew, the other photos as they are, and masks in `RUN/photos/masks`,
 * cut as their photos are. What happens to the subject's photos later does not touch the run. Errors: `photos.tooFew`.
 */
export async function layOutPhotos(
  { folder, photos }: Library,
  subject: Subject,
  run: string,
): Promise<void> {
  const usable = photos.list(subject.id).filter(({ missing }) => !missing);
  if (usable.length === 0) throw problem('photos.tooFew', { name: subject.name });
  const out = folder.make(run, 'photos');
  const stems = new Set<string>();
  for (const { name, crop, mask } of usable) {
    const { name: stem, ext } = path.parse(name);
    // A photo and its mask are a pair by their name without its ending.
    let own = stem;
    for (let number = 2; stems.has(own); number++) own = `${stem}-${number}`;
    stems.add(own);
    await layOut(path.join(folder.photos(subject), name), crop, path.join(out, own), ext);
    const maskFile = mask === null ? undefined : path.join(folder.masks(subject), mask);
    if (maskFile !== undefined && existsSync(maskFile))
      await layOut(maskFile, crop, path.join(folder.make(run, 'photos', masksFolder), own), '.png');
  }
}

/** The file as it is, or the square of it as a PNG, at `target` with the ending that fits. */
async function layOut(file: string, crop: Crop | null, target: string, ending: string): Promise<void> {
  if (crop)
    await sharp(file)
      .autoOrient()
      .extract({ left: crop.x, top: crop.y, width: crop.side, height: crop.side })
      .png()
      .toFile(`${target}.png`);
  else await link(file, target + ending).catch(() => copyFile(file, target + ending));
}
