import { rmSync } from 'node:fs';
import { orNothing } from '../../../src-shared/orNothing.ts';
import type { Photo } from '../../../src-shared/domain/photo.ts';
import { writeAtomically } from '../../engine/checkpoints/writeSafetensors.ts';
import { captionFileOf, captionOf } from '../../engine/training/data/photoCaptions.ts';
import type { StoredPhoto } from '../../storage/photos.ts';

/** A photo as the window sees it, with the caption that is beside its `file`. */
export function publicPhoto({ mask: _, ...photo }: StoredPhoto, file: string): Photo {
  // A caption that can't be read (a folder, a pipe) counts as none; training will report it.
  return { ...photo, caption: orNothing(() => captionOf(file)) ?? null };
}

/** Writes `NAME.txt` beside a photo; an empty caption takes it away. Errors: `file.unwritable`. */
export function keepCaption(file: string, caption: string): void {
  const place = captionFileOf(file);
  const text = caption.replace(/\s+/g, ' ').trim();
  if (text === '') rmSync(place, { force: true });
  else writeAtomically(place, () => [Buffer.from(`${text}\n`)]);
}
