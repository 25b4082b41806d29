import { setTimeout as wait } from 'node:timers/promises';
import type { Found, StudioContext } from '../context.ts';
import { markAgain } from '../photos/markAgain.ts';
import { findPhotos } from './findPhotos.ts';
import { findPictures } from './findPictures.ts';
import { findRuns } from './findRuns.ts';
import { findSubjects } from './findSubjects.ts';
import { removeLeftovers } from './removeLeftovers.ts';

/** Milliseconds after which a new window has made its first requests. */
const windowFirst = 1500;

/** Scans the library's folder for changes, one scan at a time. */
export class LibraryScan {
  private readonly closing = new AbortController();
  private readonly hurry = new AbortController();
  private looking: Promise<unknown> = Promise.resolve();

  constructor(private readonly context: StudioContext) {}

  /** Subjects before what is in them, and runs before pictures that were made with them. */
  async allButPictures(): Promise<Found[]> {
    return [await findSubjects(this.context), await findPhotos(this.context), await findRuns(this.context)];
  }

  /**
   * After a while, scans pictures, then removes leftovers of killed processes. Trouble with the folder is reported by
   * `watchLibrary`.
   */
  async later({ atOnce }: { readonly atOnce: boolean }): Promise<void> {
    const { folder } = this.context.library;
    await this.afterTheLast(async () => {
      if (!atOnce) await wait(windowFirst, undefined, { signal: this.hurry.signal }).catch(() => undefined);
      await markAgain(this.context, this.closing.signal);
      await this.pictures();
      await removeLeftovers(folder.root, this.closing.signal);
    }).catch(() => undefined);
  }

  /** Everything, at once. */
  again(): Promise<Found> {
    this.hurry.abort();
    return this.afterTheLast(async () => {
      await markAgain(this.context, this.closing.signal);
      const found = [...(await this.allButPictures()), await this.pictures()];
      const sum = (of: keyof Found): number => found.reduce((total, part) => total + part[of], 0);
      return { added: sum('added'), moved: sum('moved'), missing: sum('missing') };
    });
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.hurry.abort();
    await this.looking;
  }

  private pictures(): Promise<Found> {
    return findPictures(this.context, this.closing.signal);
  }

  private afterTheLast<T>(look: () => Promise<T>): Promise<T> {
    const found = this.looking.then(look);
    this.looking = found.catch(() => undefined);
    return found;
  }
}
