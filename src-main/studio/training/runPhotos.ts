import { randomUUID } from 'node:crypto';
import { cpSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { copyFile, link, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Crop } from '../../../src-shared/domain/photo.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { decoding } from '../../engine/pictures/pictures.ts';
import { captionBeside } from '../../engine/training/data/photoCaptions.ts';
import { masksFolder } from '../../engine/training/data/masks.ts';
import type { Library } from '../../storage/library.ts';

const photosFolder = 'photos';

/** Where the photos of a run's subjects are, seen from its folder; `index` 0 is the first subject. */
export function photosPlace(index: number): string {
  return index === 0 ? photosFolder : `${photosFolder}/subject ${index + 1}`;
}

/**
 * Makes a folder for a new run of the first of `subjects`, named after the day, with the photos of all, and records it at once, so that no
 * scan finds it unrecorded. Errors: `photos.tooFew`, those of `record`.
 */
export async function newRunFolder<T>(
  library: Library,
  [subject, ...others]: readonly [Subject, ...Subject[]],
  record: (folder: string) => T,
): Promise<T> {
  const { folder } = library;
  const runs = `${subject.folder}/runs`;
  const work = `${runs}/.${randomUUID()}.${process.pid}.tmp`;
  try {
    await layOutPhotos(library, subject, work);
    for (const [i, other] of others.entries()) await layOutPhotos(library, other, work, photosPlace(i + 1));
    const place = folder.claim(runs, new Date().toISOString().slice(0, 10));
    try {
      renameSync(folder.at(work, photosFolder), folder.at(place, photosFolder));
      return record(place);
    } catch (error) {
      rmSync(folder.at(place), { recursive: true, force: true });
      throw error;
    }
  } finally {
    await rm(folder.at(work), { recursive: true, force: true });
  }
}

/** A folder for a run with the same photos as another run has in its own. Seen from the library. */
export function copiedRunFolder({ folder }: Library, subject: Subject, other: string): string {
  const place = folder.claim(`${subject.folder}/runs`, new Date().toISOString().slice(0, 10));
  cpSync(folder.at(other, photosFolder), folder.at(place, photosFolder), { recursive: true });
  return place;
}

/** Whether `newRunFolder` was killed while making this folder: it holds photos but nothing of a run. */
export function isUnrecorded(run: string): boolean {
  const names = readdirSync(run);
  return names.length === 1 && names[0] === photosFolder;
}

/**
 * Copies the photos of a run to `place` there: cropped to the chosen squares, with captions beside them and masks, cropped alike,
 * in `masks` below it. Later changes to the subject's photos don't affect the run. Errors: `photos.tooFew`.
 */
export async function layOutPhotos(
  { folder, photos }: Library,
  subject: Subject,
  run: string,
  place = photosFolder,
): Promise<void> {
  const usable = photos.list(subject.id).filter(({ missing }) => !missing);
  if (usable.length === 0) throw problem('photos.tooFew', { name: subject.name });
  const out = folder.make(run, place);
  const stems = new Set<string>();
  for (const { name, crop, mask } of usable) {
    const { name: stem, ext } = path.parse(name);
    // A photo and its mask share their name up to the suffix.
    let own = stem;
    for (let number = 2; stems.has(own); number++) own = `${stem}-${number}`;
    stems.add(own);
    await layOut(path.join(folder.photos(subject), name), crop, path.join(out, own), ext);
    const caption = captionBeside(path.join(folder.photos(subject), name));
    if (caption !== undefined) await copyFile(caption, path.join(out, `${own}.txt`));
    const maskFile = mask === null ? undefined : path.join(folder.masks(subject), mask);
    if (maskFile !== undefined && existsSync(maskFile))
      await layOut(maskFile, crop, path.join(folder.make(run, place, masksFolder), own), '.png');
  }
}

/** Copies the file, or its square as a PNG, to `target` with the right suffix. */
async function layOut(file: string, crop: Crop | null, target: string, ending: string): Promise<void> {
  if (crop)
    await decoding(file)
      .extract({ left: crop.x, top: crop.y, width: crop.side, height: crop.side })
      .png()
      .toFile(`${target}.png`);
  else await link(file, target + ending).catch(() => copyFile(file, target + ending));
}
