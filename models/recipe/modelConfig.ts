/** Sizes of likeness-mini, as they stand in its folder's `config.json` files. */

/** Pixels. */
export const side = 128;

export const vaeConfig = {
  _class_name: 'AutoencoderKL',
  in_channels: 3,
  out_channels: 3,
  latent_channels: 12,
  down_block_types: Array<string>(4).fill('DownEncoderBlock2D'),
  up_block_types: Array<string>(4).fill('UpDecoderBlock2D'),
  block_out_channels: [16, 32, 64, 96],
  layers_per_block: 1,
  act_fn: 'silu',
  norm_num_groups: 8,
  sample_size: side,
  mid_block_add_attention: false,
  // The encoder is made to give latents of unit variance.
  scaling_factor: 1,
};

export const textConfig = {
  architectures: ['CLIPTextModel'],
  model_type: 'clip_text_model',
  hidden_act: 'quick_gelu',
  hidden_size: 128,
  intermediate_size: 512,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  // Captions have some ten words; every token more is paid for in each cross-attention.
  max_position_embeddings: 32,
  layer_norm_eps: 1e-5,
  projection_dim: 128,
};

/** The scorer's image tower (the engine's `latentTower.ts`), on latents. */
export const towerConfig = {
  _class_name: 'LatentImageTower',
  in_channels: vaeConfig.latent_channels,
  block_out_channels: [64, 128, 192],
  norm_num_groups: 16,
  projection_dim: textConfig.projection_dim,
  logit_scale: 14,
};

/** Words of the byte-pair vocabulary. */
export const vocabularySize = 2048;

export const unetConfig = {
  _class_name: 'UNet2DConditionModel',
  sample_size: side / 8,
  in_channels: vaeConfig.latent_channels,
  out_channels: vaeConfig.latent_channels,
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
  mid_block_type: null,
  up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
  block_out_channels: [64, 128, 256],
  layers_per_block: 1,
  attention_head_dim: 4,
  cross_attention_dim: textConfig.hidden_size,
  norm_num_groups: 16,
  norm_eps: 1e-5,
  act_fn: 'silu',
  downsample_padding: 1,
  flip_sin_to_cos: true,
  freq_shift: 0,
  center_input_sample: false,
  use_linear_projection: true,
};

export const schedulerConfig = {
  _class_name: 'DDIMScheduler',
  num_train_timesteps: 1000,
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  prediction_type: 'v_prediction',
  timestep_spacing: 'trailing',
  rescale_betas_zero_snr: true,
  set_alpha_to_one: true,
  steps_offset: 1,
  clip_sample: false,
};

/** How pictures are drawn unless told otherwise: more than this makes colours harsh. Of a subject: by the sweep. */
export const tunedGeneration = {
  guidance: 4,
  subject: { guidance: 3, baseGuidance: 3, guidanceStop: 0.6 },
} as const;

/** What a finetune of this model is done with unless told otherwise. */
export const tunedFinetune = {
  method: 'lora',
  steps: 240,
  learningRate: 3e-3,
  batch: 4,
  schedule: 'cosine',
  flip: true,
  trainTextEncoder: true,
  prior: false,
  lora: {
    rank: 64,
    alpha: 64,
    targets: [
      'to_q',
      'to_k',
      'to_v',
      'to_out.0',
      'proj_in',
      'proj_out',
      'ff.net.0.proj',
      'ff.net.2',
      'conv1',
      'conv2',
      'conv_shortcut',
      'time_emb_proj',
    ],
  },
  textLora: { rank: 16, alpha: 16, targets: ['q_proj', 'k_proj', 'v_proj', 'out_proj'] },
} as const;

/** What the scorer tells the places of a person's photos by: the first wording of every place of `makeData.ts`. */
export const tunedScenes = [
  'in the forest',
  'on the grass',
  'in the city',
  'at dusk',
  'at sunrise',
  'at night',
  'in the sky',
  'in a room',
  'on the beach',
  'in the snow',
  'in the desert',
  'in the mountains',
  'in the jungle',
  'in autumn leaves',
  'in a flower field',
  'in a wheat field',
  'on the water',
  'on the moon',
  'on a cobblestone street',
  'in front of a brick wall',
  'on the road',
  'on a wooden floor',
  'on a table',
  'in a kitchen',
  'in a library',
  'on a checkered floor',
  'on a red background',
  'on an orange background',
  'on a yellow background',
  'on a green background',
  'on a turquoise background',
  'on a blue background',
  'on a purple background',
  'on a pink background',
  'on a brown background',
  'on a black background',
  'on a white background',
  'on a gray background',
  'on red fabric',
  'on yellow fabric',
  'on green fabric',
  'on blue fabric',
  'on purple fabric',
  'on pink fabric',
  'on white fabric',
] as const;
