import { add, cast, concat, constant, cos, mul, pad, reshape, silu, sin, sub } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { conv, groupNorm, linear } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';
import { dims2, f32 } from '../tensor/tensor.ts';
import { downsample, resnet, upsampleConv } from './blocks.ts';
import { sizeInputs, type UNetConfig } from './config.ts';
import { transformer2d } from './transformer.ts';

export interface UNetInputs {
  /** Noisy latents [b,c,h,w], of any height and width. */
  readonly sample: Value;
  /** i64 or f32 [b]. */
  readonly timesteps: Value;
  /** The text encoder's last hidden state [b,t,d]. */
  readonly context: Value;
  /** The guidance's embedding [b,`time_cond_proj_dim`] (`guidanceEmbedding`), of a model that guidance was distilled into; none added when left out. */
  readonly guidance?: Value | undefined;
  /** SDXL's inputs beside the prompt; other models have none. */
  readonly added?: AddedInputs;
}

/** What SDXL adds to the time's embedding. */
export interface AddedInputs<T = Value> {
  /** Pooled prompt [b,`textWidth`]. */
  readonly text_embeds: T;
  /** Sizes f32 [b,6] (`sizeInputs`). */
  readonly time_ids: T;
}

export interface UNetOutputs {
  /** Predicted noise or velocity [b,c,h,w]. */
  readonly sample: Value;
  /** Outputs of "down_blocks.N", "mid_block", "up_blocks.N" and each "….attentions.M.proj_out", by those names. */
  readonly features: ReadonlyMap<string, Value>;
  /** Outputs of resnets, of transformers and of the blocks, and what all of them read: between these lies what may be computed twice. */
  readonly between: readonly Value[];
}

/** Everything the blocks share. */
interface Parts {
  readonly config: UNetConfig;
  /** Activated time embedding [b,e]. */
  readonly time: Value;
  readonly context: Value;
  readonly features: Map<string, Value>;
  readonly between: Value[];
}

/** diffusers' `UNet2DConditionModel` (Rombach et al. 2022), any width and depth its configuration can say. */
export function unet(
  scope: Scope,
  { sample, timesteps, context, guidance, added }: UNetInputs,
  config: UNetConfig,
): UNetOutputs {
  const features = new Map<string, Value>();
  const time = timeEmbedding(scope, { timesteps, guidance, added }, config);
  const between = [time];
  const parts: Parts = { config, context, features, time, between };
  const centred = config.center_input_sample ? sub(mul(sample, 2), 1) : sample;
  let x = conv(scope.at('conv_in'), centred, config.block_out_channels[0] as number, {
    kernel: 3,
    padding: 1,
  });

  const skips = [x];
  for (const i of config.down_block_types.keys()) x = downBlock(scope, x, i, skips, parts);
  between.push(...skips);
  x = midBlock(scope, x, parts);
  between.push(x);
  for (const i of config.up_block_types.keys()) {
    x = upBlock(scope, x, i, skips, parts);
    between.push(x);
  }

  x = silu(groupNorm(scope.at('conv_norm_out'), x, config.norm_num_groups, config.norm_eps));
  const predicted = conv(scope.at('conv_out'), x, config.out_channels, { kernel: 3, padding: 1 });
  return { sample: predicted, features, between };
}

function downBlock(root: Scope, input: Value, index: number, skips: Value[], parts: Parts): Value {
  const { config } = parts;
  const scope = root.at('down_blocks', index);
  const channels = config.block_out_channels[index] as number;
  const attends = config.down_block_types[index] === 'CrossAttnDownBlock2D';
  let x = input;
  for (let layer = 0; layer < (config.layers_per_block[index] as number); layer++) {
    x = unetResnet(scope.at('resnets', layer), x, channels, parts);
    const depth = config.transformer_layers_per_block[index]?.[layer] as number;
    if (attends) x = attend(scope.at('attentions', layer), x, index, depth, parts);
    skips.push(x);
  }
  if (index < config.down_block_types.length - 1) {
    x = downsample(scope.at('downsamplers', 0), x, config.downsample_padding);
    skips.push(x);
  }
  return feature(scope, x, parts);
}

function midBlock(root: Scope, input: Value, parts: Parts): Value {
  const { config } = parts;
  if (!config.mid_block_type) return input;
  const scope = root.at('mid_block');
  const innermost = config.block_out_channels.length - 1;
  const channels = config.block_out_channels[innermost] as number;
  const scaleFactor = config.mid_block_scale_factor;
  let x = unetResnet(scope.at('resnets', 0), input, channels, parts, scaleFactor);
  // A UNetMidBlock2D, as in diffusers' U-Net, has one resnet and no attention.
  if (config.mid_block_type === 'UNetMidBlock2DCrossAttn') {
    const depth = config.transformer_layers_per_block[innermost]?.[0] as number;
    x = attend(scope.at('attentions', 0), x, innermost, depth, parts);
    x = unetResnet(scope.at('resnets', 1), x, channels, parts, scaleFactor);
  }
  return feature(scope, x, parts);
}

function upBlock(root: Scope, input: Value, index: number, skips: Value[], parts: Parts): Value {
  const { config } = parts;
  const scope = root.at('up_blocks', index);
  const level = config.up_block_types.length - 1 - index;
  const channels = config.block_out_channels[level] as number;
  const attends = config.up_block_types[index] === 'CrossAttnUpBlock2D';
  let x = input;
  for (let layer = 0; layer <= (config.layers_per_block[level] as number); layer++) {
    x = unetResnet(scope.at('resnets', layer), concat([x, skips.pop() as Value], 1), channels, parts);
    const depth = config.reverse_transformer_layers_per_block[index]?.[layer] as number;
    if (attends) x = attend(scope.at('attentions', layer), x, level, depth, parts);
  }
  // The next block joins this output with a skip, so it takes the skip's size: odd sizes don't double back to themselves.
  const next = skips.at(-1);
  if (next) x = upsampleConv(scope.at('upsamplers', 0), x, dims2(next.shape.slice(2)));
  return feature(scope, x, parts);
}

function feature(scope: Scope, x: Value, { features }: Parts): Value {
  features.set(scope.module, x);
  return x;
}

function unetResnet(
  scope: Scope,
  x: Value,
  channels: number,
  { config, time, between }: Parts,
  scaleFactor = 1,
): Value {
  const output = resnet(scope, x, channels, {
    groups: config.norm_num_groups,
    epsilon: config.norm_eps,
    time,
    scaleFactor,
  });
  between.push(output);
  return output;
}

function attend(scope: Scope, x: Value, level: number, layers: number, parts: Parts): Value {
  const { config, context } = parts;
  const { output, projected } = transformer2d(scope, x, context, {
    heads: config.num_attention_heads[level] as number,
    layers,
    linearProjection: config.use_linear_projection,
    groups: config.norm_num_groups,
  });
  feature(scope.at('proj_out'), projected, parts);
  parts.between.push(output);
  return output;
}

/**
 * Sines and cosines of the timestep, the guidance's embedding where there is one, and two linear layers; to these SDXL adds two layers'
 * view of the pooled prompt and the sizes; then the activation that all resnets start with.
 */
function timeEmbedding(
  scope: Scope,
  {
    timesteps,
    guidance,
    added,
  }: { timesteps: Value; guidance: Value | undefined; added: AddedInputs | undefined },
  config: UNetConfig,
): Value {
  const width = config.block_out_channels[0] as number;
  const embedded = sinusoids(timesteps, width, config);
  const module = scope.at('time_embedding');
  const guided = guidance
    ? add(embedded, linear(module.at('cond_proj'), guidance, width, { bias: false }))
    : embedded;
  const time = twoLayers(module, guided, 4 * width);
  if (!config.addition) return silu(time);
  if (!added) throw new Error('the U-Net wants a pooled prompt and sizes');
  const { timeWidth } = config.addition;
  const sizes = reshape(sinusoids(added.time_ids, timeWidth, config), [-1, sizeInputs * timeWidth]);
  const all = concat([added.text_embeds, sizes], 1);
  return silu(add(time, twoLayers(scope.at('add_embedding'), all, 4 * width)));
}

/** diffusers' `TimestepEmbedding`. */
function twoLayers(module: Scope, x: Value, width: number): Value {
  return linear(module.at('linear_2'), silu(linear(module.at('linear_1'), x, width)), width);
}

/** diffusers' `get_timestep_embedding`: n numbers of any shape → [n,width]. */
function sinusoids(numbers: Value, width: number, config: UNetConfig): Value {
  const half = Math.floor(width / 2);
  // In single precision, step by step, as torch computes them.
  const frequencies = Float32Array.from({ length: half }, (_, i) =>
    Math.exp(Math.fround(Math.fround(-Math.log(10000) * i) / (half - config.freq_shift))),
  );
  const angles = mul(reshape(cast(numbers, 'f32'), [-1, 1]), constant(f32([1, half], frequencies)));
  const waves = concat(config.flip_sin_to_cos ? [cos(angles), sin(angles)] : [sin(angles), cos(angles)], 1);
  return width % 2 ? pad(waves, [0, 0], [0, 1]) : waves;
}
