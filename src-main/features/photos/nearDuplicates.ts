import { photoViews, resemblance } from '../../engine/evaluation/memorization.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';

/** Resemblance from which two photos are one. */
const duplicate = 0.95;

/** A photo as duplicates are looked for: all of it, and its middle square, at the same scale. */
export interface Compared {
  readonly small: Picture;
  readonly square: Picture;
}

/** Pairs of photos that are nearly one photo, mirrored and cropped copies included. Gives way to other work after each photo. */
export async function nearDuplicates<T extends Compared>(photos: readonly T[]): Promise<[T, T][]> {
  const views = photos.map(({ small }) => photoViews(small));
  const found: [T, T][] = [];
  for (const [i, a] of photos.entries()) {
    for (let j = i + 1; j < photos.length; j++) {
      const [b, aViews, bViews] = [photos[j], views[i], views[j]];
      if (!b || !aViews || !bViews) continue;
      if (resemblance(b.square, aViews) > duplicate || resemblance(a.square, bViews) > duplicate)
        found.push([a, b]);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return found;
}
