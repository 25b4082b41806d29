import { setImmediate as giveWay } from 'node:timers/promises';
import {
  photoViews,
  printsOf,
  resemblance,
  type PhotoViews,
  type Prints,
} from '../../engine/evaluation/memorization.ts';
import type { SmallPictures } from './lookAt.ts';

/** Resemblance from which two photos are one. */
const duplicate = 0.95;

/** Pairs of photos that are nearly one photo, mirrored and cropped copies included. Gives way to other work after each photo. */
export async function nearDuplicates<T extends SmallPictures>(photos: readonly T[]): Promise<[T, T][]> {
  const seen: { views: PhotoViews; prints: Prints }[] = [];
  for (const { small, square } of photos) {
    seen.push({ views: photoViews(small), prints: printsOf(square) });
    await giveWay();
  }
  const found: [T, T][] = [];
  for (const [i, a] of photos.entries()) {
    for (let j = i + 1; j < photos.length; j++) {
      const [b, ofA, ofB] = [photos[j], seen[i], seen[j]];
      if (!b || !ofA || !ofB) continue;
      if (resemblance(ofB.prints, ofA.views) > duplicate || resemblance(ofA.prints, ofB.views) > duplicate)
        found.push([a, b]);
    }
    await giveWay();
  }
  return found;
}
