import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { LikenessError, problem } from '../../../src-shared/messages/index.ts';
import { cosine } from '../../engine/evaluation/features.ts';
import { MobileNetFeatures } from '../../engine/evaluation/mobileNetFeatures.ts';
import { detailOutsideSquare, photoQuality } from '../../engine/evaluation/photoQuality.ts';
import { captionFileOf } from '../../engine/training/data/photoCaptions.ts';
import { claimsPicture } from '../../engine/pictures/pictureKinds.ts';
import { loadPicture, naturalOrder } from '../../engine/pictures/pictures.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
import { resize } from '../../engine/pictures/resample.ts';
import { loadMask, masksOf } from '../../engine/training/data/masks.ts';
import { photoAdvice, setAdvice, type Advice, type PhotoFacts } from './advice.ts';
import { nearDuplicates } from './nearDuplicates.ts';
import type { PhotosRequest } from './request.ts';

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

/** Photos are judged at this height or width, the smaller of both, unless they are smaller. */
const judgedAt = 512;

interface Loaded {
  readonly path: string;
  readonly mask: number | null;
  readonly small: Picture;
  readonly square: Picture;
  readonly facts: PhotoFacts;
}

/** Looks at a folder of photos before a finetune and says what to do; changes nothing. Errors: `photos.noFolder`. */
export async function checkPhotos(
  { folder, mobileNet }: PhotosRequest,
  { report, signal }: JobContext,
): Promise<PhotosReport> {
  const names = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw problem('photos.noFolder', { folder }, cause);
  });
  const files = names
    .filter((entry) => !entry.name.startsWith('.') && (entry.isFile() || entry.isSymbolicLink()))
    .map(({ name }) => join(folder, name))
    .sort(naturalOrder);
  const { masks, strays } = await masksOf(folder, files);
  // Belongs to its photo, and is no stray.
  const captions = new Set(files.filter((file) => extname(file) !== '.txt').map(captionFileOf));
  const loaded: Loaded[] = [];
  const unusable: PhotosReport['unusable'][number][] = [];
  const ignored: string[] = [...strays];
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
    loaded.push({ ...inspect(path, picture), mask: mask ? shareOf(mask) : null });
  }
  report({ type: 'progress', done: files.length, total: files.length, label: 'photos' });
  const duplicates = (await nearDuplicates(loaded)).map(([a, b]) => [a.path, b.path] as const);
  const variety = await varietyOf(loaded, mobileNet);
  return {
    folder,
    photos: loaded.map(({ path, mask, facts }) => ({ path, mask, ...facts, advice: photoAdvice(facts) })),
    ...{ unusable, ignored, duplicates },
    variety: { 'variety (MobileNetV2)': variety },
    advice: [
      ...setAdvice({ count: loaded.length, duplicates, variety }),
      ...unusable.map(({ code, message }) => ({ code, message })),
      ...loaded.flatMap(({ path, facts }) =>
        photoAdvice(facts).map(({ code, message }) => ({ code, message: `${basename(path)}: ${message}` })),
      ),
    ],
  };
}

function shareOf({ width, height, data }: Picture): number {
  return data.reduce((sum, byte) => sum + byte, 0) / (255 * 3 * width * height);
}

function inspect(path: string, picture: Picture): Omit<Loaded, 'mask'> {
  const { width, height } = picture;
  const size = Math.min(width, height);
  const ratio = Math.min(1, judgedAt / size);
  const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side * ratio))) as [
    number,
    number,
  ];
  const small = ratio < 1 ? resize(picture, across, down, 'bilinear') : picture;
  const square = middleSquare(small);
  const crop = { left: Math.round((width - size) / 2), top: Math.round((height - size) / 2), size };
  return {
    ...{ path, small, square },
    facts: { width, height, crop, cropLoses: detailOutsideSquare(small), ...photoQuality(square) },
  };
}

function middleSquare({ width, height, data }: Picture): Picture {
  const size = Math.min(width, height);
  const [left, top] = [Math.round((width - size) / 2), Math.round((height - size) / 2)];
  const cut = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    const from = ((top + y) * width + left) * 3;
    cut.set(data.subarray(from, from + size * 3), y * size * 3);
  }
  return { width: size, height: size, data: cut };
}

async function varietyOf(loaded: readonly Loaded[], mobileNet: string): Promise<number | null> {
  if (loaded.length < 2) return null;
  const features = await MobileNetFeatures.open(mobileNet);
  try {
    const vectors = await features.pictures(loaded.map(({ square }) => square));
    const distances = pairs(vectors).map(([a, b]) => 1 - cosine(a, b));
    return distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
  } finally {
    await features.dispose();
  }
}

function pairs<T>(items: readonly T[]): [T, T][] {
  return items.flatMap((a, i) => items.slice(i + 1).map((b): [T, T] => [a, b]));
}
