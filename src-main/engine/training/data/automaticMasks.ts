import { findSubjects } from '../../../../src-shared/segmentation/findSubjects.ts';
import { loadPicture } from '../../pictures/pictures.ts';
import type { Picture } from '../../pictures/pixels.ts';
import { resize } from '../../pictures/resample.ts';
import { photoLooks } from './photoLooks.ts';

/** Longest side that a photo is cut at, in pixels. Loss weights are far coarser. */
const longest = 256;
/** Shares of the photo that a subject may fill; outside of them the cut has found nothing. */
const plausible = { least: 0.03, most: 0.85 };

/**
 * Where the subject of these photos probably is, by file: white on black, of the photo's shape, smaller. Photos in which no subject stands
 * out are left out. Errors: those of `loadPicture`, `photoLooks`.
 */
export async function automaticMasks(files: readonly string[]): Promise<Map<string, Picture>> {
  const photos: Picture[] = [];
  for (const file of files) photos.push(shrunk(await loadPicture(file)));
  const found = findSubjects(photos, photos.length > 1 ? await photoLooks(photos) : undefined);
  const masks = new Map<string, Picture>();
  for (const [i, file] of files.entries()) {
    const [photo, subject] = [photos[i] as Picture, found[i] as Uint8Array];
    const share = subject.reduce((sum, value) => sum + value / 255, 0) / subject.length;
    if (share < plausible.least || share > plausible.most) continue;
    const data = new Uint8Array(3 * subject.length);
    subject.forEach((value, at) => data.fill(value, 3 * at, 3 * at + 3));
    masks.set(file, { width: photo.width, height: photo.height, data });
  }
  return masks;
}

function shrunk(photo: Picture): Picture {
  const scale = Math.min(1, longest / Math.max(photo.width, photo.height));
  const [width, height] = [photo.width, photo.height].map((side) =>
    Math.max(1, Math.round(side * scale)),
  ) as [number, number];
  return resize(photo, width, height, 'bilinear');
}
