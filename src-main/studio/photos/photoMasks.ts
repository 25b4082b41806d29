import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { sharp } from '../../sharp.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { writeAtomically } from '../../engine/checkpoints/writeSafetensors.ts';
import { unpacksWithin } from '../../engine/pictures/png.ts';
import type { Library } from '../../storage/library.ts';
import type { StoredPhoto } from '../../storage/photos.ts';

/** A mask is named after its photo's name and hash, so that a library without its database knows whose it is. */
function maskName({ name, hash }: Pick<StoredPhoto, 'name' | 'hash'>): string {
  return `${path.parse(name).name}-${hash.slice(0, 12)}.png`;
}

/** The mask in the subject's `masks/` for a photo that was just added, if there is one. */
export function findMask({ folder }: Library, subject: Subject, photo: StoredPhoto): string | null {
  const name = maskName(photo);
  return existsSync(path.join(folder.masks(subject), name)) ? name : null;
}

/**
 * Writes a PNG to the subject's `masks/`; null removes the photo's mask. Returns its file name. Errors: `photos.badMask` unless it
 * is a PNG of the same size as the upright photo, `masks.empty`, `file.unwritable`.
 */
export async function keepMask(
  { folder, subjects }: Library,
  photo: StoredPhoto,
  png: Buffer | null,
): Promise<string | null> {
  const { name, width, height } = photo;
  const subject = subjects.get(photo.subjectId);
  if (!png) {
    if (photo.mask !== null) await rm(path.join(folder.masks(subject), photo.mask), { force: true });
    return null;
  }
  const found = unpacksWithin(png) ? await look(png).catch(() => undefined) : undefined;
  if (found?.format !== 'png' || found.width !== width || found.height !== height)
    throw problem('photos.badMask', { name, width, height });
  if (found.black) throw problem('masks.empty', { mask: `The mask for ${name}` });
  const file = photo.mask ?? maskName(photo);
  writeAtomically(path.join(folder.make(subject.folder, 'masks'), file), () => [png]);
  return file;
}

async function look(png: Buffer): Promise<{ format: string; width: number; height: number; black: boolean }> {
  const picture = sharp(png);
  const { format, width, height } = await picture.metadata();
  const { channels } = await picture.flatten({ background: 'black' }).stats();
  return { format, width, height, black: channels.every(({ max }) => max === 0) };
}
