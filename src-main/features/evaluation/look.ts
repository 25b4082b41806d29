import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
import { loadPicture } from '../../engine/pictures/pictures.ts';
import { meanOfPairs, type Features } from '../../engine/evaluation/features.ts';

/** Pictures in memory at a time. */
const atOnce = 8;

/** The features of each file, in order; files are read as they are needed. Errors: those of `loadPicture`. */
export async function look<T>(
  features: { pictures(pictures: readonly Picture[]): Promise<readonly T[]> },
  files: readonly string[],
  label: string,
  { report, signal }: JobContext,
): Promise<T[]> {
  const seen: T[] = [];
  report({ type: 'progress', done: 0, total: files.length, label });
  for (let from = 0; from < files.length; from += atOnce) {
    signal.throwIfAborted();
    const pictures = await Promise.all(files.slice(from, from + atOnce).map(loadPicture));
    seen.push(...(await features.pictures(pictures)));
    report({ type: 'progress', done: seen.length, total: files.length, label });
  }
  return seen;
}

/** Mean cosine of photos and pictures in a network's features, over all pairs. The network is let go afterwards. */
export async function meanLikeness(
  network: Features,
  photos: readonly string[],
  pictures: readonly string[],
  context: JobContext,
): Promise<number> {
  try {
    const seen = await look(network, [...photos, ...pictures], network.name, context);
    return meanOfPairs(seen.slice(0, photos.length), seen.slice(photos.length));
  } finally {
    await network.dispose();
  }
}
