import { orNothing } from '../../../src-shared/orNothing.ts';
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
  /** Of each other box to the photos of this one's run, in order. */
  readonly elsewhere: readonly number[];
}

/**
 * How much each box of each picture is like its own subject, and like the others'. Some photos are more like anything than others, so what
 * tells is one subject's likeness in its own box and elsewhere: apart, the first is larger. Nothing where a box is drawn by something without
 * photos. Errors: those of `LikenessMeter.open`.
 */
export async function measureBoxes(
  regions: readonly RegionRequest[],
  pictures: readonly string[],
  mobileNet: string,
): Promise<BoxLikeness[][]> {
  const meters: LikenessMeter[] = [];
  try {
    for (const { lora, prompt } of regions) {
      const photos = orNothing(() => photosOf([lora], undefined, [prompt]));
      if (photos === undefined) return [];
      meters.push(await LikenessMeter.open({ photos, mobileNet }));
    }
    const measured: BoxLikeness[][] = [];
    for (const file of pictures) {
      const picture = await loadPicture(file);
      const { width, height } = picture;
      /** By box, then by whose photos. */
      const matrix: number[][] = [];
      for (const { box } of regions) {
        const [x, y] = [Math.floor(box.left * width), Math.floor(box.top * height)];
        const part = crop(picture, {
          ...{ x, y },
          width: Math.max(1, Math.round(box.right * width) - x),
          height: Math.max(1, Math.round(box.bottom * height) - y),
        });
        const all: number[] = [];
        for (const meter of meters) all.push(await meter.ofPicture(part));
        matrix.push(all);
      }
      measured.push(apartOrNot(matrix));
    }
    return measured;
  } finally {
    for (const meter of meters) await meter.dispose();
  }
}

/** `matrix`: the likeness of each box to each subject. */
export function apartOrNot(matrix: readonly (readonly number[])[]): BoxLikeness[] {
  return matrix.map((row, i) => ({
    own: row[i] ?? 0,
    others: row.filter((_, other) => other !== i),
    elsewhere: matrix.filter((_, other) => other !== i).map((other) => other[i] ?? 0),
  }));
}
