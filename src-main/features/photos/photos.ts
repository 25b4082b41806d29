import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { LikenessError, problem } from '../../../src-shared/messages/index.ts';
import { captionBeside, isCaption } from '../../engine/training/data/photoCaptions.ts';
import { claimsPicture, inCloudAlone } from '../../engine/pictures/pictureKinds.ts';
import { loadPicture, mayBePicture, naturalOrder, noFolder } from '../../engine/pictures/pictures.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
import { noPhotosIn } from '../../engine/training/data/photoFolder.ts';
import { loadMask, masksOf } from '../../engine/training/data/masks.ts';
import { photoAdvice, setAdvice, type Advice, type PhotoFacts } from './advice.ts';
import { lookAt, type SmallPictures } from './lookAt.ts';
import { nearDuplicates } from './nearDuplicates.ts';
import type { PhotosRequest } from './request.ts';
import { varietyOf } from './variety.ts';

export interface PhotoReport extends PhotoFacts {
  readonly path: string;
  /** Share of the photo that its mask says is the subject; null without one. */
  readonly mask: number | null;
  readonly advice: readonly Advice[];
}

export interface PhotosReport {
  readonly folder: string;
  readonly photos: readonly PhotoReport[];
  /** Pictures and masks that cannot be used, and why. */
  readonly unusable: readonly { readonly path: string; readonly code: string; readonly message: string }[];
  /** Files that are no pictures, and masks of no photo. */
  readonly ignored: readonly string[];
  /** Pairs that are nearly one photo. */
  readonly duplicates: readonly (readonly [string, string])[];
  /** Mean distance of the photos, by name of the features; null for one photo alone. */
  readonly variety: { readonly 'variety (MobileNetV2)': number | null };
  readonly advice: readonly Advice[];
}

interface Loaded extends SmallPictures {
  readonly path: string;
  readonly mask: number | null;
  readonly facts: PhotoFacts;
}

/** Looks at a folder of photos before a finetune and says what to do; changes nothing. Errors: `photos.noFolder`. */
export async function checkPhotos(
  { folder, mobileNet }: PhotosRequest,
  { report, signal }: JobContext,
): Promise<PhotosReport> {
  const names = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw noFolder(folder, cause);
  });
  const files: string[] = [];
  for (const entry of names) if (await mayBePicture(folder, entry)) files.push(join(folder, entry.name));
  files.sort(naturalOrder);
  const { masks, strays } = await masksOf(folder, files);
  // Belongs to its photo, and is no stray.
  const captions = new Set(files.filter((file) => !isCaption(file)).map(captionBeside));
  const loaded: Loaded[] = [];
  const unusable: PhotosReport['unusable'][number][] = [];
  const ignored: string[] = [...strays];
  for (const path of notHere(folder, names))
    unusable.push({ path, ...toldBy(problem('photos.inCloud', { file: path })) });
  for (const [done, path] of files.entries()) {
    signal.throwIfAborted();
    if (captions.has(path)) continue;
    report({ type: 'progress', done, total: files.length, label: 'photos' });
    const refuse = (file: string) => (error: unknown) => {
      if (!(error instanceof LikenessError)) throw error;
      const { code, message } = error;
      if (code === 'photos.unsupported' && !claimsPicture.test(file)) ignored.push(file);
      else unusable.push({ path: file, code, message });
    };
    const picture = await loadPicture(path).catch(refuse(path));
    if (!picture) continue;
    const file = masks.get(path);
    const mask = file === undefined ? undefined : await loadMask(file, path, picture).catch(refuse(file));
    const { width, height } = picture;
    const seen = await lookAt(path, { width, height, crop: null });
    loaded.push({ path, ...seen, mask: mask ? shareOf(mask) : null });
  }
  report({ type: 'progress', done: files.length, total: files.length, label: 'photos' });
  const duplicates = (await nearDuplicates(loaded)).map(([a, b]) => [a.path, b.path] as const);
  const variety = await varietyOf(
    loaded.map(({ square }) => square),
    mobileNet,
  );
  return {
    folder,
    photos: loaded.map(({ path, mask, facts }) => ({ path, mask, ...facts, advice: photoAdvice(facts) })),
    ...{ unusable, ignored, duplicates },
    variety: { 'variety (MobileNetV2)': variety },
    advice: [
      ...(loaded.length + unusable.length > 0
        ? setAdvice({ count: loaded.length, duplicates, variety })
        : [toldBy(await noPhotosIn(folder))]),
      ...unusable.map(toldBy),
      ...loaded.flatMap(({ path, facts }) =>
        photoAdvice(facts).map(({ code, message }) => ({ code, message: `${basename(path)}: ${message}` })),
      ),
    ],
  };
}

/** The photos of a folder that are only in iCloud. */
function notHere(folder: string, entries: readonly { readonly name: string }[]): string[] {
  return entries.flatMap(({ name }) => {
    const own = inCloudAlone(name);
    return own === undefined ? [] : [join(folder, own)];
  });
}

function toldBy({ code, message }: Advice): Advice {
  return { code, message };
}

function shareOf({ width, height, data }: Picture): number {
  return data.reduce((sum, byte) => sum + byte, 0) / (255 * 3 * width * height);
}
