import type { Model } from '../../engine/checkpoints/model.ts';
import { randomModel, withRandomVae } from '../bench/randomModel.ts';
import { shapeConfigs, type ShapeConfigs } from '../bench/shapes.ts';

/** Published shapes that are checked. */
export type CheckShape = 'sd1' | 'sd2' | 'bk-sdm-tiny' | 'bk-sdm-v2-tiny';

type Keys = Readonly<Record<string, unknown>>;

const vae: Keys = {
  block_out_channels: [128, 256, 512, 512],
  down_block_types: Array<string>(4).fill('DownEncoderBlock2D'),
  up_block_types: Array<string>(4).fill('UpDecoderBlock2D'),
  layers_per_block: 2,
  scaling_factor: 0.18215,
};

const narrow: ShapeConfigs['textEncoder'] = {
  ...{ hidden_size: 64, intermediate_size: 128, num_hidden_layers: 2, num_attention_heads: 4 },
};

/** The same blocks, a tenth as wide. */
function narrowed({ unet, textEncoder }: ShapeConfigs): ShapeConfigs {
  const widths = (unet['block_out_channels'] as number[] | undefined) ?? [320, 640, 1280, 1280];
  const heads = Array.isArray(unet['attention_head_dim']) ? [2, 4, 8, 8].slice(0, widths.length) : 4;
  return {
    unet: {
      ...unet,
      ...{ block_out_channels: widths.map((width) => width / 10), norm_num_groups: 8 },
      ...{ cross_attention_dim: narrow['hidden_size'], attention_head_dim: heads },
    },
    textEncoder: { ...textEncoder, ...narrow },
  };
}

/** BK-SDM-v2-Tiny is to Stable Diffusion 2 what BK-SDM-Tiny is to 1. */
const checkConfigs: Readonly<Record<CheckShape, ShapeConfigs>> = {
  ...shapeConfigs,
  'bk-sdm-v2-tiny': {
    ...shapeConfigs.sd2,
    unet: {
      ...shapeConfigs['bk-sdm-tiny'].unet,
      ...shapeConfigs.sd2.unet,
      attention_head_dim: [5, 10, 20],
    },
  },
};

/** A model of a published shape with random weights, which are written below `cache` the first time. */
export function checkModel(shape: CheckShape, small: boolean, cache: string): Model {
  const configs = small ? narrowed(checkConfigs[shape]) : checkConfigs[shape];
  const model = randomModel(small ? `${shape}-small` : shape, configs, cache, () => undefined);
  const widths = { block_out_channels: [16, 32, 64, 64], norm_num_groups: 8 };
  return withRandomVae(model, small ? { ...vae, ...widths } : vae, cache, () => undefined);
}
