import { findSubjects } from '../../../src-shared/segmentation/findSubjects.ts';
import { snapToEdge } from '../../../src-shared/segmentation/snapToEdge.ts';
import { canvasFor, loadedImage, startFrom, workingScale } from './maskCanvas.ts';
import type { MaskedPicture } from './maskedPicture.ts';
import { paintStep, type MaskStep } from './maskSteps.ts';

/**
 * Snaps what is marked so far, an ellipse around the subject or a few strokes over it, to the subject's edge. Returns the step that
 * takes its place. With nothing marked, the subject is what stands out in the photo. Undefined where the photo can't be loaded.
 */
export async function snapMask(
  photo: MaskedPicture,
  stored: CanvasImageSource | undefined,
  steps: readonly MaskStep[],
): Promise<MaskStep | undefined> {
  const image = await loadedImage(photo.url);
  if (!image) return undefined;
  const scale = workingScale(photo);
  const [picture, mask] = [canvasFor(photo, scale), canvasFor(photo, scale)];
  const { width, height } = mask.canvas;
  picture.drawImage(image, 0, 0, width, height);
  startFrom(mask, stored);
  for (const step of steps) paintStep(mask, step, scale);
  const { data: colours } = picture.getImageData(0, 0, width, height);
  const { data: marked } = mask.getImageData(0, 0, width, height);
  const pixels = width * height;
  const rgb = Uint8Array.from(
    { length: 3 * pixels },
    (_, i) => colours[4 * Math.floor(i / 3) + (i % 3)] as number,
  );
  const strokes = Uint8Array.from({ length: pixels }, (_, i) => marked[4 * i + 3] as number);
  // Lets the page show that it works before it stands still for a moment.
  await new Promise((resolve) => setTimeout(resolve, 30));
  const shown = { width, height, data: rgb };
  const found = strokes.some((value) => value > 0) ? snapToEdge(shown, strokes) : findSubjects([shown])[0];
  if (!found) return undefined;
  const snapped = mask.createImageData(width, height);
  for (let i = 0; i < pixels; i++) {
    snapped.data.fill(255, 4 * i, 4 * i + 3);
    snapped.data[4 * i + 3] = found[i] as number;
  }
  const result = canvasFor(photo, scale);
  result.putImageData(snapped, 0, 0);
  return { kind: 'picture', mask: result.canvas, width: photo.width, height: photo.height };
}
