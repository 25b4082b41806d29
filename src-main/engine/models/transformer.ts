import { add, attention, gelu, mul, reshape, transpose } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { conv, groupNorm, layerNorm, linear } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';
import { dims4 } from '../tensor/tensor.ts';

export interface TransformerOptions {
  readonly heads: number;
  readonly layers: number;
  readonly linearProjection: boolean;
  readonly groups: number;
}

/**
 * diffusers' `Transformer2DModel`: pixels x [b,c,h,w] attend to each other and to the context [b,s,d].
 * `projected` is what proj_out gives, before the skip path is added.
 */
export function transformer2d(
  scope: Scope,
  x: Value,
  context: Value,
  { heads, layers, linearProjection, groups }: TransformerOptions,
): { output: Value; projected: Value } {
  const [batch, channels, height, width] = dims4(x.shape);
  const toTokens = (image: Value): Value =>
    reshape(transpose(image, [0, 2, 3, 1]), [batch, height * width, channels]);
  const toImage = (tokens: Value): Value =>
    transpose(reshape(tokens, [batch, height, width, channels]), [0, 3, 1, 2]);
  const normed = groupNorm(scope.at('norm'), x, groups, 1e-6);
  let tokens = linearProjection
    ? linear(scope.at('proj_in'), toTokens(normed), channels)
    : toTokens(conv(scope.at('proj_in'), normed, channels, { kernel: 1 }));
  for (let i = 0; i < layers; i++)
    tokens = transformerBlock(scope.at('transformer_blocks', i), tokens, context, heads);
  const projected = linearProjection
    ? toImage(linear(scope.at('proj_out'), tokens, channels))
    : conv(scope.at('proj_out'), toImage(tokens), channels, { kernel: 1 });
  return { output: add(projected, x), projected };
}

/** diffusers' `BasicTransformerBlock`: self-attention, cross-attention, GEGLU feed-forward (Shazeer 2020). */
function transformerBlock(scope: Scope, x: Value, context: Value, heads: number): Value {
  const self = layerNorm(scope.at('norm1'), x);
  const attended = add(x, crossAttention(scope.at('attn1'), self, self, heads));
  const cross = layerNorm(scope.at('norm2'), attended);
  const informed = add(attended, crossAttention(scope.at('attn2'), cross, context, heads));
  return add(informed, feedForward(scope.at('ff', 'net'), layerNorm(scope.at('norm3'), informed)));
}

/** diffusers' `Attention` as the U-Net has it: no biases but the output's. */
function crossAttention(scope: Scope, x: Value, context: Value, heads: number): Value {
  const width = x.shape[2] as number;
  const q = linear(scope.at('to_q'), x, width, { bias: false });
  const k = linear(scope.at('to_k'), context, width, { bias: false });
  const v = linear(scope.at('to_v'), context, width, { bias: false });
  const mixed = attention(q, k, v, { heads, scale: 1 / Math.sqrt(width / heads), causal: false });
  return linear(scope.at('to_out', 0), mixed, width);
}

/** The two halves are computed separately, so that no wide tensor has to be cut, nor its gradient joined. */
function feedForward(scope: Scope, x: Value): Value {
  const width = x.shape[2] as number;
  const rows = reshape(x, [-1, width]);
  const half = (start: number): Value =>
    linear(scope.at(0, 'proj'), rows, 8 * width, { outputs: [start, start + 4 * width] });
  return reshape(linear(scope.at(2), mul(half(0), gelu(half(4 * width))), width), x.shape);
}
