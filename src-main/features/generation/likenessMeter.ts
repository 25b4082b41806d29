import { cosine } from '../../engine/evaluation/features.ts';
import { MobileNetFeatures } from '../../engine/evaluation/mobileNetFeatures.ts';
import { loadPicture, loadPictureOn, middleSquare } from '../../engine/pictures/pictures.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
import { listPhotos } from '../../engine/training/data/photoFolder.ts';
import { resize } from '../../engine/pictures/resample.ts';
import { crop, cropRegion } from './cropRegion.ts';

/** Where a subject's photos are, and MobileNetV2's weights. */
export interface LikenessRequest {
  readonly photos: string;
  readonly mobileNet: string;
}

const side = 256;

/** How much single pictures look like a subject: the figure that `score` has for checkpoints. */
export class LikenessMeter {
  private constructor(
    private readonly features: MobileNetFeatures,
    private readonly photos: readonly Float32Array[],
  ) {}

  /** Errors: those of `listPhotos`, `loadPicture` and `MobileNetFeatures.open`. */
  static async open({ photos, mobileNet }: LikenessRequest): Promise<LikenessMeter> {
    const files = await listPhotos(photos);
    const squares = await Promise.all(files.map(async (file) => middleSquare(await loadPicture(file), side)));
    const features = await MobileNetFeatures.open(mobileNet);
    return new LikenessMeter(features, await features.pictures(squares));
  }

  /**
   * Mean cosine with the photos in MobileNetV2's features, as DreamBooth measures with DINO's; 0…1. Of a picture that was drawn over
   * another, only what the mask shows counts, in a square.
   */
  async of(file: string, mask?: string): Promise<number> {
    const picture = await loadPicture(file);
    return this.ofPicture(mask === undefined ? picture : await shownBy(mask, picture));
  }

  /** The same of a picture that lies in no file. */
  async ofPicture(picture: Picture): Promise<number> {
    const [vector] = await this.features.pictures([picture]);
    const sum = this.photos.reduce((total, photo) => total + cosine(photo, vector ?? photo), 0);
    return Math.min(1, Math.max(0, sum / this.photos.length));
  }

  async dispose(): Promise<void> {
    await this.features.dispose();
  }
}

async function shownBy(file: string, picture: Picture): Promise<Picture> {
  const mask = resize(await loadPictureOn('black', file), picture.width, picture.height, 'bilinear');
  return crop(picture, cropRegion(mask, { width: 1, height: 1 }, 0));
}
