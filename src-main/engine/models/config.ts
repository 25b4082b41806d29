/**
 * Typed configurations of the three networks, with diffusers' and transformers' defaults for absent keys.
 * Keys keep diffusers' names; what may be one number or a list there is always a list here, one entry a block.
 */
export interface UNetConfig {
  /** Latent height and width the model was trained at. */
  readonly sample_size: readonly [height: number, width: number];
  readonly in_channels: number;
  readonly out_channels: number;
  readonly center_input_sample: boolean;
  readonly flip_sin_to_cos: boolean;
  readonly freq_shift: number;
  readonly down_block_types: readonly ('CrossAttnDownBlock2D' | 'DownBlock2D')[];
  readonly mid_block_type: 'UNetMidBlock2DCrossAttn' | 'UNetMidBlock2D' | null;
  readonly up_block_types: readonly ('CrossAttnUpBlock2D' | 'UpBlock2D')[];
  readonly block_out_channels: readonly number[];
  /** Resnets of each down block; up block i has one more than down block (last − i). */
  readonly layers_per_block: readonly number[];
  readonly downsample_padding: number;
  readonly mid_block_scale_factor: number;
  readonly act_fn: 'silu';
  readonly norm_num_groups: number;
  readonly norm_eps: number;
  readonly cross_attention_dim: readonly number[];
  /** Transformer blocks of each attention, by down block; the mid block's has as many as the first of the last block. */
  readonly transformer_layers_per_block: readonly (readonly number[])[];
  /** The same by up block. */
  readonly reverse_transformer_layers_per_block: readonly (readonly number[])[];
  /** Heads of each down block. In diffusers' files this number is called `attention_head_dim`, by an old mistake kept for compatibility. */
  readonly num_attention_heads: readonly number[];
  readonly use_linear_projection: boolean;
  readonly upcast_attention: boolean;
  /** Width of the guidance's embedding, which is added to the time's, of a model that guidance was distilled into (LCM). */
  readonly time_cond_proj_dim: number | null;
  /** What SDXL adds to the time's embedding: sines and cosines, so many of each of six sizes, beside the pooled prompt. */
  readonly addition: AdditionConfig | null;
}

export interface AdditionConfig {
  /** Sines and cosines of a size: diffusers' `addition_time_embed_dim`. */
  readonly timeWidth: number;
  /** Width of the pooled prompt, which `projection_class_embeddings_input_dim` counts too. */
  readonly textWidth: number;
}

/** How many sizes SDXL takes as inputs: the original's height and width, the crop's top and left, the picture's height and width. */
export const sizeInputs = 6;

/** Whether a U-Net sees a mask and the masked picture's latents beside its own: Stable Diffusion's models for inpainting. */
export function seesMasks({
  in_channels,
  out_channels,
}: Pick<UNetConfig, 'in_channels' | 'out_channels'>): boolean {
  return in_channels === 2 * out_channels + 1;
}

export interface VaeConfig {
  readonly in_channels: number;
  readonly out_channels: number;
  readonly latent_channels: number;
  readonly block_out_channels: readonly number[];
  /** Resnets of each encoder block; the decoder's have one more. */
  readonly layers_per_block: number;
  readonly norm_num_groups: number;
  readonly sample_size: number;
  readonly scaling_factor: number;
  readonly use_quant_conv: boolean;
  readonly use_post_quant_conv: boolean;
  readonly mid_block_add_attention: boolean;
  /** Its values may pass what f16 can hold. */
  readonly force_upcast: boolean;
}

/** What the layers of CLIP's two towers are set by. */
export interface ClipLayerConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_attention_heads: number;
  readonly hidden_act: 'quick_gelu' | 'gelu';
  readonly layer_norm_eps: number;
}

export interface ClipTextConfig extends ClipLayerConfig {
  readonly vocab_size: number;
  readonly num_hidden_layers: number;
  readonly max_position_embeddings: number;
  readonly bos_token_id: number;
  readonly eos_token_id: number;
  readonly pad_token_id: number;
  /** Width of the pooled prompt, of a text encoder that makes one. */
  readonly projection_dim: number;
}
