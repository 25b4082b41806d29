import path from 'node:path';
import type { PictureFiles } from './files.ts';

/** What is needed of a library to find its pictures. */
interface LibraryView {
  readonly folder: {
    at: (...parts: string[]) => string;
    photos: (subject: { readonly folder: string }) => string;
    masks: (subject: { readonly folder: string }) => string;
  };
  readonly images: { detail: (id: number) => { readonly file: string } };
  readonly photos: {
    get: (id: number) => { readonly subjectId: number; readonly name: string; readonly mask: string | null };
  };
  readonly subjects: { get: (id: number) => { readonly folder: string } };
  readonly runs: { get: (id: number) => { readonly folder: string } };
}

/** The pictures of a library by their numbers; one that is not in it is not found. */
export function libraryFiles(library: LibraryView, thumbnails: string): PictureFiles {
  const found = (look: () => string | undefined): string | undefined => {
    try {
      return look();
    } catch {
      return undefined;
    }
  };
  const { folder, images, photos, subjects, runs } = library;
  return {
    thumbnails,
    image: (id) => found(() => folder.at(images.detail(id).file)),
    photo: (id) =>
      found(() => {
        const { subjectId, name } = photos.get(id);
        return path.join(folder.photos(subjects.get(subjectId)), name);
      }),
    mask: (id) =>
      found(() => {
        const { subjectId, mask } = photos.get(id);
        return mask === null ? undefined : path.join(folder.masks(subjects.get(subjectId)), mask);
      }),
    sample: (id, step) =>
      found(() => folder.at(runs.get(id).folder, 'samples', `${String(step).padStart(6, '0')}.png`)),
  };
}
