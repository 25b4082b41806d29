import sharp from 'sharp';
import { cosine } from '../../engine/evaluation/features.ts';
import { MobileNetFeatures } from '../../engine/evaluation/mobileNetFeatures.ts';
import { listPictures, loadPicture } from '../../engine/pictures/pictures.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';

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

  /** Errors: those of `listPictures`, `loadPicture` and `MobileNetFeatures.open`. */
  static async open({ photos, mobileNet }: LikenessRequest): Promise<LikenessMeter> {
    const files = await listPictures(photos);
    const squares = await Promise.all(files.map(async (file) => middleSquare(await loadPicture(file))));
    const features = await MobileNetFeatures.open(mobileNet);
    return new LikenessMeter(features, await features.pictures(squares));
  }

  /** Mean cosine with the photos in MobileNetV2's features, as DreamBooth measures with DINO's; 0…1. */
  async of(file: string): Promise<number> {
    const [vector] = await this.features.pictures([await loadPicture(file)]);
    const sum = this.photos.reduce((total, photo) => total + cosine(photo, vector ?? photo), 0);
    return Math.min(1, Math.max(0, sum / this.photos.length));
  }

  async dispose(): Promise<void> {
    await this.features.dispose();
  }
}

async function middleSquare({ data, width, height }: Picture): Promise<Picture> {
  const squared = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize(side, side, { fit: 'cover', kernel: 'linear' })
    .raw()
    .toBuffer();
  return { width: side, height: side, data: squared };
}
