import type { PhotoSetReport } from '../../../src-shared/domain/photo.ts';
import { setAdvice } from '../../features/photos/advice.ts';
import { nearDuplicates, type Compared } from '../../features/photos/nearDuplicates.ts';
import type { StoredPhoto } from '../../storage/photos.ts';
import { markOf, smallPictures } from './markPhoto.ts';

/** Pairs by the set of photos: a set is compared once, until a photo is added or removed. */
const known = new Map<string, [string, string][]>();
const mostKnown = 50;

/**
 * What preflight says of a subject's photos together, as `likeness photos` does. `fileOf`: where a photo is. Variety is left to the
 * command line: it needs a network, and no session runs in this process.
 */
export async function reportOn(
  list: readonly StoredPhoto[],
  fileOf: (photo: StoredPhoto) => string,
): Promise<PhotoSetReport> {
  const usable = list.filter(({ missing }) => !missing);
  const duplicates = await duplicatesAmong(usable, fileOf);
  const marks = setAdvice({ count: usable.length, duplicates, variety: null }).map((advice) =>
    markOf(advice, advice.code === 'none' ? 'stop' : 'warn'),
  );
  return { ready: usable.length > 0, marks };
}

async function duplicatesAmong(
  photos: readonly StoredPhoto[],
  fileOf: (photo: StoredPhoto) => string,
): Promise<[string, string][]> {
  const key = photos.map(({ id, hash }) => `${id} ${hash}`).join();
  const before = known.get(key);
  if (before) return before;
  const looked: (Compared & { readonly name: string })[] = [];
  for (const photo of photos) {
    const { width, height, name } = photo;
    // A file that is gone by now is reported by the next scan.
    const pictures = await smallPictures(fileOf(photo), { width, height, crop: null }).catch(() => undefined);
    if (pictures) looked.push({ name, ...pictures });
  }
  const found = (await nearDuplicates(looked)).map(([a, b]): [string, string] => [a.name, b.name]);
  if (known.size >= mostKnown) known.clear();
  if (looked.length === photos.length) known.set(key, found);
  return found;
}
