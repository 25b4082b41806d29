import { cosine } from '../../engine/evaluation/features.ts';
import { MobileNetFeatures } from '../../engine/evaluation/mobileNetFeatures.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
import { smallPictures, type Framed } from './lookAt.ts';

export interface VarietyRequest {
  readonly photos: readonly (Framed & { readonly path: string })[];
  /** MobileNetV2's file. */
  readonly mobileNet: string;
}

/**
 * How different photos are, compared by the squares used for training; null for fewer than two. Errors: those of `openPicture`.
 */
export async function photoVariety({ photos, mobileNet }: VarietyRequest): Promise<number | null> {
  const squares: Picture[] = [];
  for (const { path, ...framed } of photos) squares.push((await smallPictures(path, framed)).square);
  return varietyOf(squares, mobileNet);
}

/** Mean distance (1 − cosine) between the pictures' MobileNetV2 features; null for fewer than two. */
export async function varietyOf(pictures: readonly Picture[], mobileNet: string): Promise<number | null> {
  if (pictures.length < 2) return null;
  const features = await MobileNetFeatures.open(mobileNet);
  try {
    const vectors = await features.pictures(pictures);
    const distances = vectors.flatMap((a, i) => vectors.slice(i + 1).map((b) => 1 - cosine(a, b)));
    return distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
  } finally {
    await features.dispose();
  }
}
