import { dirname } from 'node:path';
import { LikenessError } from '../../../../src-shared/messages/index.ts';
import { scaledSize } from '../../../../src-shared/scaledSize.ts';
import { findSubjects } from '../../../../src-shared/segmentation/findSubjects.ts';
import { cachedPlace, fileHash, sha256 } from '../../checkpoints/contentHash.ts';
import { isFile, makeFolder } from '../../checkpoints/files.ts';
import { readSafetensors } from '../../checkpoints/safetensors.ts';
import { readTensor } from '../../checkpoints/weights.ts';
import { writeSafetensors } from '../../checkpoints/writeSafetensors.ts';
import { loadPicture } from '../../pictures/pictures.ts';
import type { Picture } from '../../pictures/pixels.ts';
import { resize } from '../../pictures/resample.ts';
import { photoLooks } from './photoLooks.ts';

/** Longest side that a photo is cut at, in pixels. Loss weights are far coarser. */
const longest = 256;
/** Shares of the photo that a subject may fill; outside of them the cut has found nothing. */
const plausible = { least: 0.03, most: 0.85 };

/** Masks that were kept are found anew where this has changed: raise it with the way they are found. */
const edition = 1;

/**
 * Where the subject of these photos probably is, by file: white on black, of the photo's shape, smaller. Photos in which no subject stands
 * out are left out. Finding them takes seconds, so masks are kept for photos of the same content. Errors: those of `loadPicture`,
 * `photoLooks`.
 */
export async function automaticMasks(files: readonly string[]): Promise<Map<string, Picture>> {
  const key = sha256([edition, ...files.map(fileHash)].join());
  const place = cachedPlace('masks', `${key}.safetensors`);
  const kept = place === undefined ? undefined : readKept(place);
  const found = kept ?? (await findMasks(files));
  if (place !== undefined && !kept) keep(place, found);
  const masks = new Map<string, Picture>();
  for (const [i, { width, height, subject }] of found) {
    const data = new Uint8Array(3 * subject.length);
    subject.forEach((value, at) => data.fill(value, 3 * at, 3 * at + 3));
    masks.set(files[i] as string, { width, height, data });
  }
  return masks;
}

/** 0 or 255 for each pixel. */
interface Mask {
  readonly width: number;
  readonly height: number;
  readonly subject: Uint8Array;
}

/** By the photo's place in `files`. */
type Masks = ReadonlyMap<number, Mask>;

async function findMasks(files: readonly string[]): Promise<Masks> {
  const photos: Picture[] = [];
  for (const file of files) photos.push(shrunk(await loadPicture(file)));
  const found = findSubjects(photos, photos.length > 1 ? await photoLooks(photos) : undefined);
  const masks = new Map<number, Mask>();
  for (const [i, { width, height }] of photos.entries()) {
    const subject = found[i] as Uint8Array;
    const share = subject.reduce((sum, value) => sum + value / 255, 0) / subject.length;
    if (share >= plausible.least && share <= plausible.most) masks.set(i, { width, height, subject });
  }
  return masks;
}

/** Nothing where none are kept, or the file is damaged. */
function readKept(file: string): Masks | undefined {
  if (!isFile(file)) return undefined;
  try {
    const masks = new Map<number, Mask>();
    for (const [name, entry] of readSafetensors(file).tensors) {
      const [height = 0, width = 0] = entry.shape;
      const subject = readTensor(entry).data;
      if (subject instanceof Uint8Array) masks.set(Number(name), { width, height, subject });
    }
    return masks;
  } catch (error) {
    if (error instanceof LikenessError) return undefined;
    throw error;
  }
}

/** A folder that can't be written keeps nothing: masks are found anew. */
function keep(file: string, masks: Masks): void {
  const tensors = [...masks].map(([i, { width, height, subject }]) => ({
    name: String(i),
    tensor: { dtype: 'u8' as const, shape: [height, width], data: subject },
  }));
  try {
    makeFolder(dirname(file));
    writeSafetensors(file, tensors);
  } catch (error) {
    if (!(error instanceof LikenessError)) throw error;
  }
}

function shrunk(photo: Picture): Picture {
  const scale = Math.min(1, longest / Math.max(photo.width, photo.height));
  const { width, height } = scaledSize(photo, scale);
  return resize(photo, width, height, 'bilinear');
}
