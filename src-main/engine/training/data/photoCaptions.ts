import { basename, extname } from 'node:path';
import { isFile, readText } from '../../checkpoints/files.ts';

/** Where the caption of a photo is: `NAME.txt` beside it. */
export function captionFileOf(photo: string): string {
  return photo.slice(0, photo.length - extname(photo).length) + '.txt';
}

/** The caption of a photo, on one line; an empty file is none. Errors: those of `readText`. */
export function captionOf(photo: string): string | undefined {
  const file = captionFileOf(photo);
  const caption = isFile(file) ? readText(file).replace(/\s+/g, ' ').trim() : '';
  return caption === '' ? undefined : caption;
}

/** The captions of photos by file name. */
export function captionsOf(photos: readonly string[]): Record<string, string> {
  const found = photos.flatMap((photo) => {
    const caption = captionOf(photo);
    return caption === undefined ? [] : [[basename(photo), caption] as const];
  });
  return Object.fromEntries(found);
}
