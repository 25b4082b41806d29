import { readdirSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { isFile } from '../../checkpoints/files.ts';
import { fileLike } from './sameName.ts';
import { readWritten } from './writtenText.ts';

/** Where the caption of a photo is: `NAME.txt` beside it. */
export function captionFileOf(photo: string): string {
  return photo.slice(0, photo.length - extname(photo).length) + '.txt';
}

/** Endings of captions: everybody's, and that of kohya's own captioner. */
const endings = ['.txt', '.caption'];

export function isCaption(file: string): boolean {
  return endings.includes(extname(file).toLowerCase());
}

/** The file with the caption of a photo, if there is one, in any case and Unicode form. */
export function captionBeside(photo: string): string | undefined {
  const stem = photo.slice(0, photo.length - extname(photo).length);
  return endings.flatMap((ending) => fileLike(stem + ending) ?? []).find(isFile);
}

/** The caption of a photo, on one line; an empty file is none. Errors: those of `readWritten`. */
export function captionOf(photo: string): string | undefined {
  const file = captionBeside(photo);
  const caption = file === undefined ? '' : readWritten(file).replace(/\s+/g, ' ').trim();
  return caption === '' ? undefined : caption;
}

/** Captions in a folder of photos that belong to none of them. */
export function strayCaptions(folder: string, photos: readonly string[]): string[] {
  const used = new Set(photos.map(captionBeside));
  const names = readdirSync(folder).filter((name) => isCaption(name) && !isNote.test(name));
  return names.map((name) => join(folder, name)).filter((file) => isFile(file) && !used.has(file));
}

/** What people and tools put beside photos that is no caption. */
const isNote = /^(\.|(read.?me|licen[cs]e|credits|notes?|prompts?|urls?|sources?)\b)/i;

/** The captions of photos by file name. */
export function captionsOf(photos: readonly string[]): Record<string, string> {
  const found = photos.flatMap((photo) => {
    const caption = captionOf(photo);
    return caption === undefined ? [] : [[basename(photo), caption] as const];
  });
  return Object.fromEntries(found);
}
