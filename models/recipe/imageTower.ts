import { mean, silu } from '../../src-main/engine/graph/build.ts';
import type { Value } from '../../src-main/engine/graph/ops.ts';
import { downsample, resnet } from '../../src-main/engine/models/blocks.ts';
import { conv, groupNorm, linear } from '../../src-main/engine/nn/layers.ts';
import type { Scope } from '../../src-main/engine/nn/scope.ts';
import { towerConfig } from './modelConfig.ts';

/** The scorer's image tower: latents [b,12,h,w] → [b,features], not yet of unit length. A residual network, pooled over all pixels. */
export function imageTower(scope: Scope, latents: Value): Value {
  const { block_out_channels: widths, norm_num_groups: groups, projection_dim: features } = towerConfig;
  const norm = { groups, epsilon: 1e-5 };
  let x = conv(scope.at('conv_in'), latents, widths[0] as number, { kernel: 3, padding: 1 });
  for (const [i, width] of widths.entries()) {
    x = resnet(scope.at('down_blocks', i, 'resnets', 0), x, width, norm);
    if (i < widths.length - 1) x = downsample(scope.at('down_blocks', i, 'downsamplers', 0), x, 1);
  }
  const last = silu(groupNorm(scope.at('conv_norm_out'), x, groups, norm.epsilon));
  return linear(scope.at('visual_projection'), mean(last, [2, 3]), features, { bias: false });
}

/** A caption's summary [b,width], the mean of its features from the end token on, → [b,features], not yet of unit length. */
export function summaryProjection(scope: Scope, summary: Value): Value {
  return linear(scope.at('text_projection'), summary, towerConfig.projection_dim, { bias: false });
}
