import type { BenchShape } from './request.ts';

/** A model's `config.json` files, as far as they differ from the library's defaults. */
export interface ShapeConfigs {
  readonly unet: Readonly<Record<string, unknown>>;
  readonly textEncoder: Readonly<Record<string, unknown>>;
}

const clipLarge = {
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  num_attention_heads: 12,
};
const openClip = {
  hidden_size: 1024,
  intermediate_size: 4096,
  num_hidden_layers: 23,
  num_attention_heads: 16,
  hidden_act: 'gelu',
};

const sd1 = { cross_attention_dim: 768, attention_head_dim: 8 };
const bkBase = { ...sd1, layers_per_block: 1 };
const bkTiny = {
  ...bkBase,
  mid_block_type: null,
  block_out_channels: [320, 640, 1280],
  down_block_types: Array<string>(3).fill('CrossAttnDownBlock2D'),
  up_block_types: Array<string>(3).fill('CrossAttnUpBlock2D'),
};

/** From the published models' folders: Stable Diffusion 1.4 and 2.1-base, BK-SDM Base, Small and Tiny. */
export const shapeConfigs: Readonly<Record<BenchShape, ShapeConfigs>> = {
  sd1: { unet: sd1, textEncoder: clipLarge },
  sd2: {
    unet: { cross_attention_dim: 1024, attention_head_dim: [5, 10, 20, 20], use_linear_projection: true },
    textEncoder: openClip,
  },
  'bk-sdm-base': { unet: bkBase, textEncoder: clipLarge },
  'bk-sdm-small': { unet: { ...bkBase, mid_block_type: null }, textEncoder: clipLarge },
  'bk-sdm-tiny': { unet: bkTiny, textEncoder: clipLarge },
};
