import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { orNothing } from '../../src-shared/orNothing.ts';
import { receiptPlace } from '../../src-shared/domain/receipt.ts';
import type { PictureFiles } from './files.ts';

/** The parts of a library that its pictures are found with. */
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
  readonly models: { sheet: (id: number) => string | undefined };
  readonly exports: { get: (id: number) => { readonly path: string } };
  readonly runs: { get: (id: number) => { readonly folder: string } };
}

/** The newest of the folders NAME-HASH, as scoring may have run with several settings. */
function newest(folder: string, name: string): string | undefined {
  const places = readdirSync(folder)
    .filter((one) => one.startsWith(`${name}-`))
    .map((one) => path.join(folder, one));
  return places.sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs).at(-1);
}

/** Finds the pictures of a library by their ids. */
export function libraryFiles(library: LibraryView, thumbnails: string): PictureFiles {
  const { folder, images, photos, subjects, runs, exports, models } = library;
  return {
    thumbnails,
    image: (id) => orNothing(() => folder.at(images.detail(id).file)),
    photo: (id) =>
      orNothing(() => {
        const { subjectId, name } = photos.get(id);
        return path.join(folder.photos(subjects.get(subjectId)), name);
      }),
    mask: (id) =>
      orNothing(() => {
        const { subjectId, mask } = photos.get(id);
        return mask === null ? undefined : path.join(folder.masks(subjects.get(subjectId)), mask);
      }),
    original: (hash) => orNothing(() => folder.at('originals', `${hash}.png`)),
    sheet: (id) => orNothing(() => models.sheet(id)),
    export: (id) => orNothing(() => folder.at(exports.get(id).path)),
    grid: (jobId) => orNothing(() => folder.at('grids', `${jobId}.png`)),
    receipt: (id) => orNothing(() => receiptPlace(folder.at(exports.get(id).path), 'png')),
    sample: (id, step) =>
      orNothing(() => folder.at(runs.get(id).folder, 'samples', `${String(step).padStart(6, '0')}.png`)),
    scored: (id, step, index) =>
      orNothing(() => {
        const pictures = folder.at(runs.get(id).folder, 'scores', 'pictures');
        const place = newest(pictures, step === 0 ? 'base' : String(step).padStart(6, '0'));
        return place && path.join(place, `${String(index).padStart(4, '0')}.png`);
      }),
  };
}
