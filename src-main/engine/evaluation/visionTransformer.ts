import { openVitFolder, type ScorerFolder } from '../checkpoints/scorerFolders.ts';
import { expectTensor } from '../checkpoints/weights.ts';
import { vit, type VitConfig } from '../models/vit.ts';
import type { Picture } from '../pictures/pixels.ts';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';
import type { HostTensor } from '../tensor/tensor.ts';
import type { Features } from './features.ts';
import { PictureTower } from './pictureTower.ts';
import { interpolatedPositions } from './positions.ts';
import { preparedSize } from './preprocess.ts';

/** A Vision Transformer's first token, from the user's transformers folder: DINO (Caron et al. 2021) where DreamBooth measures. */
export class VitFeatures implements Features {
  readonly name = 'DINO';

  private constructor(private readonly tower: PictureTower) {}

  /** Errors: those of `openVitFolder` and `PictureTower.open`. */
  static async open(folder: string, provider: ProviderChoice): Promise<VitFeatures> {
    const opened = openVitFolder(folder);
    const { config } = opened;
    const tower = await PictureTower.open(
      opened,
      {
        build: (scope, pixels) => vit(scope, pixels, config),
        // Only DINOv2 looks at pictures of other sizes than it was trained on.
        size: config.model_type === 'vit' ? config.image_size : undefined,
        own: resizedPositions(opened),
      },
      provider,
    );
    return new VitFeatures(tower);
  }

  async pictures(pictures: readonly Picture[]): Promise<Float32Array[]> {
    return this.tower.vectors(pictures);
  }

  async dispose(): Promise<void> {
    await this.tower.dispose();
  }
}

/** Replaces DINOv2's stored position embeddings where its folder prepares pictures of another size. */
function resizedPositions({
  config,
  preprocessor,
  weights,
}: ScorerFolder<VitConfig>): (name: string) => HostTensor | undefined {
  const grid = (size: readonly [number, number]): [number, number] => [
    Math.floor(size[0] / config.patch_size[0]),
    Math.floor(size[1] / config.patch_size[1]),
  ];
  const given = preparedSize(preprocessor);
  const [trained, wanted] = [grid(config.image_size), given && grid([given.height, given.width])];
  if (!wanted || wanted.join() === trained.join()) return () => undefined;
  const name = 'embeddings.position_embeddings';
  const shape = [1, 1 + trained[0] * trained[1], config.hidden_size];
  return (asked) =>
    asked === name ? interpolatedPositions(expectTensor(weights, name, shape), trained, wanted) : undefined;
}
