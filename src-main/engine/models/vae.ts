import { add, attention, less, reshape, silu, halves, transpose, where } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { conv, groupNorm, linear } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';
import { downsample, resnet, upsampleConv, type NormOptions } from './blocks.ts';
import type { VaeConfig } from './config.ts';
import { dims4 } from '../tensor/tensor.ts';

const norm = (config: VaeConfig): NormOptions => ({ groups: config.norm_num_groups, epsilon: 1e-6 });

/**
 * The encoder half of diffusers' `AutoencoderKL`: image [b,3,h,w] in [-1,1] → mean and log-variance of the latents
 * [b,c,h',w'], before the scaling factor; the log-variance clamped to [-30,20].
 */
export function vaeEncode(scope: Scope, image: Value, config: VaeConfig): { mean: Value; logvar: Value } {
  const encoder = scope.at('encoder');
  const channels = config.block_out_channels;
  let x = conv(encoder.at('conv_in'), image, channels[0] as number, { kernel: 3, padding: 1 });
  for (const [i, width] of channels.entries()) {
    const block = encoder.at('down_blocks', i);
    for (let layer = 0; layer < config.layers_per_block; layer++)
      x = resnet(block.at('resnets', layer), x, width, norm(config));
    if (i < channels.length - 1) x = downsample(block.at('downsamplers', 0), x, 0);
  }
  x = midBlock(encoder.at('mid_block'), x, config);
  const moments = outConv(encoder, x, 2 * config.latent_channels, config);
  const quantized = config.use_quant_conv
    ? conv(scope.at('quant_conv'), moments, 2 * config.latent_channels, { kernel: 1 })
    : moments;
  const [mean, logvar] = halves(quantized, 1);
  return { mean, logvar: clamp(logvar, -30, 20) };
}

/** The decoder half: latents [b,c,h,w], divided by the scaling factor already → image [b,3,h',w'] in about [-1,1]. */
export function vaeDecode(scope: Scope, latents: Value, config: VaeConfig): Value {
  const decoder = scope.at('decoder');
  const channels = [...config.block_out_channels].reverse();
  let x = config.use_post_quant_conv
    ? conv(scope.at('post_quant_conv'), latents, config.latent_channels, { kernel: 1 })
    : latents;
  x = conv(decoder.at('conv_in'), x, channels[0] as number, { kernel: 3, padding: 1 });
  x = midBlock(decoder.at('mid_block'), x, config);
  for (const [i, width] of channels.entries()) {
    const block = decoder.at('up_blocks', i);
    for (let layer = 0; layer <= config.layers_per_block; layer++)
      x = resnet(block.at('resnets', layer), x, width, norm(config));
    if (i < channels.length - 1) x = upsampleConv(block.at('upsamplers', 0), x);
  }
  return outConv(decoder, x, config.out_channels, config);
}

function outConv(scope: Scope, x: Value, channels: number, config: VaeConfig): Value {
  const { groups, epsilon } = norm(config);
  const activated = silu(groupNorm(scope.at('conv_norm_out'), x, groups, epsilon));
  return conv(scope.at('conv_out'), activated, channels, { kernel: 3, padding: 1 });
}

function midBlock(scope: Scope, x: Value, config: VaeConfig): Value {
  const width = x.shape[1] as number;
  const first = resnet(scope.at('resnets', 0), x, width, norm(config));
  const attended = config.mid_block_add_attention
    ? pixelAttention(scope.at('attentions', 0), first, config)
    : first;
  return resnet(scope.at('resnets', 1), attended, width, norm(config));
}

/** Self-attention of all pixels with one head, and its skip path. */
function pixelAttention(scope: Scope, x: Value, config: VaeConfig): Value {
  const [batch, channels, height, width] = dims4(x.shape);
  const { groups, epsilon } = norm(config);
  const normed = groupNorm(scope.at('group_norm'), x, groups, epsilon);
  const tokens = reshape(transpose(normed, [0, 2, 3, 1]), [batch, height * width, channels]);
  const projected = (name: string): Value => linear(scope.at(name), tokens, channels);
  const [q, k, v] = [projected('to_q'), projected('to_k'), projected('to_v')];
  const mixed = attention(q, k, v, { heads: 1, scale: 1 / Math.sqrt(channels), causal: false });
  const out = linear(scope.at('to_out', 0), mixed, channels);
  return add(x, transpose(reshape(out, [batch, height, width, channels]), [0, 3, 1, 2]));
}

function clamp(x: Value, low: number, high: number): Value {
  const floored = where(less(x, low), low, x);
  return where(less(high, floored), high, floored);
}
