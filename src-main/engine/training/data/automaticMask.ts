import { nearlyAll } from '../../../../src-shared/segmentation/nearlyAll.ts';
import { snapToEdge } from '../../../../src-shared/segmentation/snapToEdge.ts';
import type { Picture } from '../../pictures/pixels.ts';
import { resize } from '../../pictures/resample.ts';

/** Longest side that a photo is cut at, in pixels. Loss weights are far coarser. */
const longest = 256;
/** Shares of the photo that a subject may fill; outside of them the cut has found nothing. */
const plausible = { least: 0.03, most: 0.85 };

/**
 * Where a photo's subject probably is: what GrabCut finds inside an ellipse that leaves out the photo's corners and little else. White is
 * the subject. Of the photo's shape, smaller; undefined where no subject stands out.
 */
export function automaticMask(photo: Picture): Picture | undefined {
  const scale = Math.min(1, longest / Math.max(photo.width, photo.height));
  const [width, height] = [photo.width, photo.height].map((side) =>
    Math.max(1, Math.round(side * scale)),
  ) as [number, number];
  const small = resize(photo, width, height, 'bilinear');
  const subject = snapToEdge(small, nearlyAll(small));
  const share = subject.reduce((sum, value) => sum + value / 255, 0) / subject.length;
  if (share < plausible.least || share > plausible.most) return undefined;
  const data = new Uint8Array(3 * subject.length);
  subject.forEach((value, at) => data.fill(value, 3 * at, 3 * at + 3));
  return { width, height, data };
}
