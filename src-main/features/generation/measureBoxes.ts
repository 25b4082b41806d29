import { loadPicture } from '../../engine/pictures/pictures.ts';
import { crop } from './cropRegion.ts';
import { LikenessMeter } from './likenessMeter.ts';
import type { RegionRequest } from './request.ts';
import { photosOf } from './runs.ts';

export interface BoxLikeness {
  /** To the photos of the run that drew the box. */
  readonly own: number;
  /** To those of each other box's, in order. */
  readonly others: readonly number[];
}

/**
 * How much each box of each picture is like its own subject, and like the others': apart, the first is larger. Nothing where a box is drawn
 * by something without photos. Errors: those of `LikenessMeter.open`.
 */
export async function measureBoxes(
  regions: readonly RegionRequest[],
  pictures: readonly string[],
  mobileNet: string,
): Promise<BoxLikeness[][]> {
  const meters: LikenessMeter[] = [];
  try {
    for (const { lora, prompt } of regions) {
      const photos = photosOrNothing(lora, prompt);
      if (photos === undefined) return [];
      meters.push(await LikenessMeter.open({ photos, mobileNet }));
    }
    const measured: BoxLikeness[][] = [];
    for (const file of pictures) {
      const picture = await loadPicture(file);
      const { width, height } = picture;
      const ofPicture: BoxLikeness[] = [];
      for (const [i, { box }] of regions.entries()) {
        const [x, y] = [Math.floor(box.left * width), Math.floor(box.top * height)];
        const part = crop(picture, {
          ...{ x, y },
          width: Math.max(1, Math.round(box.right * width) - x),
          height: Math.max(1, Math.round(box.bottom * height) - y),
        });
        const all: number[] = [];
        for (const meter of meters) all.push(await meter.ofPicture(part));
        ofPicture.push({ own: all[i] ?? 0, others: all.filter((_, other) => other !== i) });
      }
      measured.push(ofPicture);
    }
    return measured;
  } finally {
    for (const meter of meters) await meter.dispose();
  }
}

function photosOrNothing(lora: RegionRequest['lora'], prompt: string): string | undefined {
  try {
    return photosOf([lora], undefined, [prompt]);
  } catch {
    return undefined;
  }
}
