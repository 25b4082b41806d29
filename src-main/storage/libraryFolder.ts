import { existsSync } from 'node:fs';
import path from 'node:path';
import { makeFolders } from '../makeFolders.ts';
import { problem } from '../../src-shared/messages/index.ts';

/**
 * Where things lie in a library, a folder that people may open, copy and move:
 *
 *     library.sqlite              what is known of the rest; made again from it when lost
 *     subjects/rex/photos/        photos, as they were given
 *     subjects/rex/masks/         white where the subject is, in the size of the upright photo
 *     subjects/rex/runs/2026-11-23-1/
 *     pictures/2026-11/           PNGs with their recipes
 *     originals/                  pictures that others were drawn over, and their masks
 *     grids/                      pictures of a job in one, by the job's number
 *     exports/                    weights for other tools
 *     evaluations/                figures of pictures from anywhere, with the runs of DreamBooth's protocol
 *     models/                     base models that were downloaded
 */
export class LibraryFolder {
  constructor(readonly root: string) {}

  get database(): string {
    return path.join(this.root, 'library.sqlite');
  }

  get name(): string {
    return path.basename(this.root);
  }

  /** The absolute path of something in the library. Paths in the database use slashes on every system. */
  at(...parts: readonly string[]): string {
    const full = path.resolve(this.root, ...parts);
    if (!this.holds(full)) throw problem('library.outside', { file: parts.join('/') });
    return full;
  }

  /** Seen from the library's folder. */
  relative(file: string): string {
    if (!this.holds(path.resolve(file))) throw problem('library.outside', { file });
    return path.relative(this.root, file).split(path.sep).join('/');
  }

  holds(file: string): boolean {
    const seen = path.relative(this.root, path.resolve(file));
    return seen !== '' && !seen.startsWith('..') && !path.isAbsolute(seen);
  }

  photos(subject: { readonly folder: string }): string {
    return this.at(subject.folder, 'photos');
  }

  masks(subject: { readonly folder: string }): string {
    return this.at(subject.folder, 'masks');
  }

  /** The folder for new pictures. Errors: those of `make`. */
  pictures(now: Date = new Date()): string {
    return this.make('pictures', now.toISOString().slice(0, 7));
  }

  /** Makes a new folder in `parent`, named after `name` and a number if that is taken. Returns it relative to the library. */
  claim(parent: string, name: string): string {
    const wanted = fileName(name);
    this.make(parent);
    for (let number = 1; ; number++) {
      const place = `${parent}/${number === 1 ? wanted : `${wanted}-${number}`}`;
      if (existsSync(this.at(place))) continue;
      this.make(place);
      return place;
    }
  }

  /** Makes the library's own folder, where there is none. Errors: `library.unwritable`. */
  create(): void {
    this.makeFolder(this.root);
  }

  /** Makes a folder in the library. Errors: `library.movedAway`, `library.unwritable`. */
  make(...parts: readonly string[]): string {
    // A library that was moved away must not be started anew in its old place.
    if (!existsSync(this.root)) throw problem('library.movedAway', { folder: this.root });
    return this.makeFolder(this.at(...parts));
  }

  private makeFolder(folder: string): string {
    try {
      makeFolders(folder);
    } catch (cause) {
      throw problem(
        'library.unwritable',
        { folder, why: (cause as NodeJS.ErrnoException).code ?? '' },
        cause,
      );
    }
    return folder;
  }
}

/** A name that every file system accepts: letters of any script, digits, hyphens; never a reserved one. */
export function fileName(name: string): string {
  const words =
    name
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  const joined = [...words.join('-')].slice(0, 40).join('') || 'unnamed';
  return /^(con|prn|aux|nul|com\d|lpt\d)$/.test(joined) ? `${joined}-` : joined;
}
