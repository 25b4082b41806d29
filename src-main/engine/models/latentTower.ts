import { mean, silu } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { conv, groupNorm, linear } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';
import { downsample, resnet } from './blocks.ts';

export interface LatentTowerConfig {
  readonly in_channels: number;
  readonly block_out_channels: readonly number[];
  readonly norm_num_groups: number;
  readonly projection_dim: number;
}

/** An image tower on latents [b,c,h,w] → [b,projection_dim], not yet of unit length. A residual network, pooled over all pixels. */
export function latentTower(scope: Scope, latents: Value, config: LatentTowerConfig): Value {
  const { block_out_channels: widths, norm_num_groups: groups, projection_dim: features } = config;
  const norm = { groups, epsilon: 1e-5 };
  let x = conv(scope.at('conv_in'), latents, widths[0] as number, { kernel: 3, padding: 1 });
  for (const [i, width] of widths.entries()) {
    x = resnet(scope.at('down_blocks', i, 'resnets', 0), x, width, norm);
    if (i < widths.length - 1) x = downsample(scope.at('down_blocks', i, 'downsamplers', 0), x, 1);
  }
  const last = silu(groupNorm(scope.at('conv_norm_out'), x, groups, norm.epsilon));
  return linear(scope.at('visual_projection'), mean(last, [2, 3]), features, { bias: false });
}

/** A caption's summary [b,width], the mean of its features from the end token on, → [b,projection_dim], not yet of unit length. */
export function captionProjection(scope: Scope, summary: Value, config: LatentTowerConfig): Value {
  return linear(scope.at('text_projection'), summary, config.projection_dim, { bias: false });
}
