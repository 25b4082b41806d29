import * as z from 'zod';
import { nameOf, problem, type LikenessError } from '../../../src-shared/messages/index.ts';
import {
  sizeInputs,
  type AdditionConfig,
  type ClipTextConfig,
  type UNetConfig,
  type VaeConfig,
} from './config.ts';

// Bounds that no real model comes near; past them the file is a mistake or an attack.
const size = z
  .int()
  .min(1)
  .max(1 << 20);
const count = z.int().min(1).max(64);
/** Transformer blocks of an attention: a block without attention may say 0. */
const transformers = z.int().min(0).max(64);

const blocks = <T extends string>(...names: T[]) => z.array(z.enum(names)).min(1).max(16);

const unetFields = z.object({
  sample_size: z.union([size, z.tuple([size, size])]).nullish(),
  in_channels: size.default(4),
  out_channels: size.default(4),
  center_input_sample: z.boolean().default(false),
  flip_sin_to_cos: z.boolean().default(true),
  freq_shift: z.number().default(0),
  down_block_types: blocks('CrossAttnDownBlock2D', 'DownBlock2D').default([
    'CrossAttnDownBlock2D',
    'CrossAttnDownBlock2D',
    'CrossAttnDownBlock2D',
    'DownBlock2D',
  ]),
  mid_block_type: z
    .enum(['UNetMidBlock2DCrossAttn', 'UNetMidBlock2D'])
    .nullable()
    .default('UNetMidBlock2DCrossAttn'),
  up_block_types: blocks('CrossAttnUpBlock2D', 'UpBlock2D').default([
    'UpBlock2D',
    'CrossAttnUpBlock2D',
    'CrossAttnUpBlock2D',
    'CrossAttnUpBlock2D',
  ]),
  block_out_channels: z.array(size).default([320, 640, 1280, 1280]),
  layers_per_block: z.union([count, z.array(count)]).default(2),
  downsample_padding: z.int().min(0).max(1).default(1),
  mid_block_scale_factor: z.number().positive().default(1),
  act_fn: z.enum(['silu', 'swish']).default('silu'),
  norm_num_groups: size.default(32),
  norm_eps: z.number().positive().default(1e-5),
  cross_attention_dim: z.union([size, z.array(size)]).default(1280),
  transformer_layers_per_block: z
    .union([transformers, z.array(z.union([transformers, z.array(transformers)]))])
    .default(1),
  reverse_transformer_layers_per_block: z.array(z.union([transformers, z.array(transformers)])).nullish(),
  attention_head_dim: z.union([size, z.array(size)]).default(8),
  num_attention_heads: z.union([size, z.array(size)]).nullish(),
  use_linear_projection: z.boolean().default(false),
  upcast_attention: z.boolean().nullish(),
  time_cond_proj_dim: size.nullish(),
  addition_embed_type: z.literal('text_time').nullish(),
  addition_time_embed_dim: size.nullish(),
  projection_class_embeddings_input_dim: size.nullish(),
});

/**
 * Keys of a U-Net's config that belong to other families: the key, its values that mean "not used", and what the model is
 * otherwise.
 */
const otherFamilies: readonly (readonly [key: string, plain: readonly unknown[], found: string])[] = [
  ['addition_embed_type', ['text_time', null], 'a model with other extra embeddings (Kandinsky, perhaps)'],
  ['class_embed_type', [null], 'a class-conditioned model'],
  ['num_class_embeds', [null], 'a class-conditioned model (an upscaler, perhaps)'],
  ['encoder_hid_dim_type', [null], 'a model with projected prompts (Kandinsky or IP-Adapter)'],
  ['encoder_hid_dim', [null], 'a model with projected prompts (DeepFloyd or Kandinsky)'],
  ['time_embedding_type', ['positional', null], 'a model with another time embedding'],
  ['time_embedding_dim', [null], 'a model with another time embedding'],
  ['time_embedding_act_fn', [null], 'a model with another time embedding'],
  ['timestep_post_act', [null], 'a model with another time embedding'],
  ['resnet_time_scale_shift', ['default', null], 'a model with scale-shift resnets (DeepFloyd or Kandinsky)'],
  ['resnet_skip_time_act', [false, null], 'a model with other resnets'],
  ['resnet_out_scale_factor', [1, null], 'a model with other resnets'],
  ['only_cross_attention', [false, null], 'a model without self-attention (an upscaler, perhaps)'],
  ['mid_block_only_cross_attention', [false, null], 'a model without self-attention'],
  ['dual_cross_attention', [false, null], 'a model with two prompts (Versatile Diffusion)'],
  ['cross_attention_norm', [null], 'a model with normed cross-attention'],
  ['attention_type', ['default', null], 'a grounded model (GLIGEN)'],
  ['conv_in_kernel', [3, null], 'a model with another first convolution'],
  ['conv_out_kernel', [3, null], 'a model with another last convolution'],
];

/** Reads a U-Net's `config.json`. `file` is named in errors: `config.invalid`, `model.family`. */
export function parseUNetConfig(raw: unknown, file: string): UNetConfig {
  const keys = object(raw, file);
  refuseClass(keys, file, 'UNet2DConditionModel');
  for (const [key, plain, found] of otherFamilies) {
    const value = keys[key];
    if (value !== undefined && !plain.includes(value)) throw problem('model.family', { file, found });
  }
  // Such a model sees more than the latents it makes: a VAE may well have 8 channels.
  const makes = keys['out_channels'] ?? 4;
  if (keys['in_channels'] === 8 && makes !== 8)
    throw problem('model.family', { file, found: 'an image-editing model (8 input channels)' });
  const fields = parse(unetFields, keys, file);
  const depth = fields.block_out_channels.length;
  if (fields.down_block_types.length !== depth || fields.up_block_types.length !== depth)
    throw invalid(file, 'block_out_channels, down_block_types and up_block_types differ in length');
  const perBlock = (key: string, value: number | number[]) => {
    const list = typeof value === 'number' ? new Array<number>(depth).fill(value) : value;
    if (list.length !== depth) throw invalid(file, `${key} has ${list.length} entries for ${depth} blocks`);
    return list;
  };
  const heads = perBlock('attention_head_dim', fields.num_attention_heads ?? fields.attention_head_dim);
  fields.block_out_channels.forEach((channels, block) => {
    if (channels % fields.norm_num_groups)
      throw invalid(file, `${channels} channels don't divide into ${fields.norm_num_groups} groups`);
    const attends =
      fields.down_block_types[block] === 'CrossAttnDownBlock2D' ||
      fields.up_block_types[depth - 1 - block] === 'CrossAttnUpBlock2D' ||
      (block === depth - 1 && fields.mid_block_type === 'UNetMidBlock2DCrossAttn');
    if (attends && channels % (heads[block] as number))
      throw invalid(file, `${channels} channels don't divide into ${heads[block]} attention heads`);
  });
  const layers = perBlock('layers_per_block', fields.layers_per_block);
  const sample = fields.sample_size ?? 64;
  const {
    attention_head_dim: _,
    addition_embed_type: _embed,
    addition_time_embed_dim: _time,
    projection_class_embeddings_input_dim: _input,
    ...plain
  } = fields;
  return {
    ...plain,
    sample_size: typeof sample === 'number' ? [sample, sample] : sample,
    layers_per_block: layers,
    act_fn: 'silu',
    cross_attention_dim: perBlock('cross_attention_dim', fields.cross_attention_dim),
    ...transformerLayers(fields, layers, file),
    num_attention_heads: heads,
    upcast_attention: fields.upcast_attention ?? false,
    time_cond_proj_dim: fields.time_cond_proj_dim ?? null,
    addition: additionOf(fields, file),
  };
}

type UNetFields = z.infer<typeof unetFields>;

/** Depths of all transformers, as diffusers spreads them: a number for a block is for each of its attentions. */
function transformerLayers(
  {
    transformer_layers_per_block: given,
    reverse_transformer_layers_per_block: reversed,
  }: Pick<UNetFields, 'transformer_layers_per_block' | 'reverse_transformer_layers_per_block'>,
  layers: readonly number[],
  file: string,
): Pick<UNetConfig, 'transformer_layers_per_block' | 'reverse_transformer_layers_per_block'> {
  const spread = (key: string, depths: (number | number[])[], counts: readonly number[]): number[][] => {
    if (depths.length !== counts.length)
      throw invalid(file, `${key} has ${depths.length} entries for ${counts.length} blocks`);
    return depths.map((depth, block) => {
      const count = counts[block] as number;
      const list = typeof depth === 'number' ? new Array<number>(count).fill(depth) : depth;
      if (list.length !== count)
        throw invalid(file, `${key}.${block} has ${list.length} entries for ${count} attentions`);
      return list;
    });
  };
  const down = typeof given === 'number' ? layers.map(() => given) : given;
  if (!reversed && down.some((depth) => typeof depth !== 'number'))
    throw invalid(
      file,
      'transformer_layers_per_block has lists in it, but reverse_transformer_layers_per_block is missing',
    );
  return {
    transformer_layers_per_block: spread('transformer_layers_per_block', down, layers),
    reverse_transformer_layers_per_block: spread(
      'reverse_transformer_layers_per_block',
      reversed ?? [...down].reverse(),
      [...layers].reverse().map((count) => count + 1),
    ),
  };
}

function additionOf(
  {
    addition_embed_type: type,
    addition_time_embed_dim: timeWidth,
    projection_class_embeddings_input_dim: width,
  }: UNetFields,
  file: string,
): AdditionConfig | null {
  if (!type) return null;
  if (!timeWidth || !width)
    throw invalid(file, 'addition_time_embed_dim or projection_class_embeddings_input_dim is missing');
  const textWidth = width - sizeInputs * timeWidth;
  if (textWidth < 1)
    throw invalid(file, `projection_class_embeddings_input_dim ${width} leaves no room for the prompt`);
  return { timeWidth, textWidth };
}

const vaeFields = z.object({
  in_channels: size.default(3),
  out_channels: size.default(3),
  latent_channels: size.default(4),
  down_block_types: blocks('DownEncoderBlock2D').default(['DownEncoderBlock2D']),
  up_block_types: blocks('UpDecoderBlock2D').default(['UpDecoderBlock2D']),
  block_out_channels: z.array(size).default([64]),
  layers_per_block: count.default(1),
  act_fn: z.enum(['silu', 'swish']).default('silu'),
  norm_num_groups: size.default(32),
  sample_size: z.union([size, z.array(size).min(1)]).default(32),
  scaling_factor: z.number().positive().default(0.18215),
  use_quant_conv: z.boolean().default(true),
  use_post_quant_conv: z.boolean().default(true),
  mid_block_add_attention: z.boolean().default(true),
  force_upcast: z.boolean().default(true),
});

/** Reads a VAE's `config.json`. Errors: `config.invalid`, `model.family`. */
export function parseVaeConfig(raw: unknown, file: string): VaeConfig {
  const keys = object(raw, file);
  refuseClass(keys, file, 'AutoencoderKL');
  if ((keys['shift_factor'] ?? null) !== null || (keys['latents_mean'] ?? null) !== null)
    throw problem('model.family', { file, found: 'a VAE with shifted latents (SD3, Flux or Playground)' });
  const {
    down_block_types,
    up_block_types,
    act_fn: _,
    sample_size,
    ...fields
  } = parse(vaeFields, keys, file);
  const depth = fields.block_out_channels.length;
  if (down_block_types.length !== depth || up_block_types.length !== depth)
    throw invalid(file, 'block_out_channels, down_block_types and up_block_types differ in length');
  for (const channels of fields.block_out_channels)
    if (channels % fields.norm_num_groups)
      throw invalid(file, `${channels} channels don't divide into ${fields.norm_num_groups} groups`);
  return { ...fields, sample_size: Array.isArray(sample_size) ? (sample_size[0] as number) : sample_size };
}

const clipTextFields = z.object({
  vocab_size: size.default(49408),
  hidden_size: size.default(512),
  intermediate_size: size.default(2048),
  num_hidden_layers: z.int().min(1).max(256).default(12),
  num_attention_heads: size.default(8),
  max_position_embeddings: size.default(77),
  hidden_act: z.enum(['quick_gelu', 'gelu']).default('quick_gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
  bos_token_id: z.int().nullable().default(49406),
  eos_token_id: z.int().nullable().default(49407),
  pad_token_id: z.int().nullable().default(1),
  projection_dim: size.default(512),
});

/** Reads a text encoder's `config.json`, or the `text_config` inside a whole CLIP's. Errors: `config.invalid`, `model.family`. */
export function parseClipTextConfig(raw: unknown, file: string): ClipTextConfig {
  const outer = object(raw, file);
  const keys = outer['text_config'] === undefined ? outer : object(outer['text_config'], file);
  const type = keys['model_type'];
  if (type !== undefined && type !== 'clip_text_model' && type !== 'clip')
    throw problem('model.family', { file, found: `a model with another text encoder (${nameOf(type)})` });
  const fields = parse(clipTextFields, keys, file);
  if (fields.hidden_size % fields.num_attention_heads)
    throw invalid(
      file,
      `hidden_size ${fields.hidden_size} doesn't divide into ${fields.num_attention_heads} heads`,
    );
  return {
    ...fields,
    bos_token_id: fields.bos_token_id ?? 49406,
    eos_token_id: fields.eos_token_id ?? 49407,
    pad_token_id: fields.pad_token_id ?? 1,
  };
}

/** `raw` as a JSON object. Errors: `config.invalid`. */
export function object(raw: unknown, file: string): Record<string, unknown> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw invalid(file, 'it is not a JSON object');
  return raw as Record<string, unknown>;
}

function refuseClass(keys: Record<string, unknown>, file: string, expected: string) {
  const name = keys['_class_name'];
  if (name !== undefined && name !== expected)
    throw problem('model.family', { file, found: `a ${nameOf(name)}` });
  // transformers' files say these, diffusers' never.
  const isOther = 'model_type' in keys || 'architectures' in keys;
  const found = `a transformers model (${nameOf(keys['model_type'] ?? 'of unknown type')})`;
  if (isOther) throw problem('model.family', { file, found });
}

/** The keys that `schema` describes. Errors: `config.invalid`, naming the first key that is wrong. */
export function parse<T>(schema: z.ZodType<T>, keys: Record<string, unknown>, file: string): T {
  const result = schema.safeParse(keys);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw invalid(file, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not understood'}`);
}

export function invalid(file: string, why: string): LikenessError {
  return problem('config.invalid', { file, why });
}
