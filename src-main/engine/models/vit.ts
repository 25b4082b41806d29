import { add, attention, gelu, mul, quickGelu, relu, silu } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { layerNorm, linear } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';
import { firstToken, patchTokens, withFirst } from './clipVision.ts';

export interface VitConfig {
  /** `vit`: DINO and other Vision Transformers. `dinov2`: with scaled residuals and its own names. */
  readonly model_type: 'vit' | 'dinov2';
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly hidden_act: 'gelu' | 'quick_gelu' | 'relu';
  readonly layer_norm_eps: number;
  readonly image_size: readonly [height: number, width: number];
  readonly patch_size: readonly [height: number, width: number];
  readonly num_channels: number;
  readonly qkv_bias: boolean;
  readonly use_swiglu_ffn: boolean;
}

const activations = { gelu, quick_gelu: quickGelu, relu };

/**
 * transformers' `ViTModel` and `Dinov2Model`: pixels [b,c,h,w], prepared → the first token of `last_hidden_state`, after the final
 * layer norm [b,d]. Tensors have the published names, but for SwiGLU's halves.
 */
export function vit(scope: Scope, pixels: Value, config: VitConfig): Value {
  const { hidden_size: width, layer_norm_eps: epsilon } = config;
  const embeddings = scope.at('embeddings');
  const projection = embeddings.at('patch_embeddings', 'projection');
  const kernel = [width, config.num_channels, ...config.patch_size];
  const patches = patchTokens(
    pixels,
    projection.weight('weight', kernel),
    projection.weight('bias', [width]),
  );
  const tokens = withFirst(embeddings.weight('cls_token', [1, 1, width]), patches);
  let x = add(tokens, embeddings.weight('position_embeddings', [1, tokens.shape[1] as number, width]));
  const layer = config.model_type === 'vit' ? vitLayer : dinov2Layer;
  for (let i = 0; i < config.num_hidden_layers; i++) x = layer(scope.at('encoder', 'layer', i), x, config);
  return layerNorm(scope.at('layernorm'), firstToken(x), epsilon);
}

function vitLayer(scope: Scope, x: Value, config: VitConfig): Value {
  const { hidden_size: width, layer_norm_eps: epsilon } = config;
  const mixed = selfAttention(
    scope.at('attention'),
    layerNorm(scope.at('layernorm_before'), x, epsilon),
    config,
  );
  const attended = add(x, mixed);
  const normed = layerNorm(scope.at('layernorm_after'), attended, epsilon);
  const hidden = activations[config.hidden_act](
    linear(scope.at('intermediate', 'dense'), normed, config.intermediate_size),
  );
  return add(attended, linear(scope.at('output', 'dense'), hidden, width));
}

function dinov2Layer(scope: Scope, x: Value, config: VitConfig): Value {
  const { hidden_size: width, layer_norm_eps: epsilon } = config;
  const scaled = (name: string, change: Value): Value =>
    mul(change, scope.at(name).weight('lambda1', [width]));
  const mixed = selfAttention(scope.at('attention'), layerNorm(scope.at('norm1'), x, epsilon), config);
  const attended = add(x, scaled('layer_scale1', mixed));
  const hidden = feedForward(scope.at('mlp'), layerNorm(scope.at('norm2'), attended, epsilon), config);
  return add(attended, scaled('layer_scale2', hidden));
}

/** DINOv2's, plain or SwiGLU (its largest model), whose width is two thirds, rounded up to a multiple of 8. */
function feedForward(scope: Scope, x: Value, config: VitConfig): Value {
  const { hidden_size: width, intermediate_size: wide } = config;
  if (!config.use_swiglu_ffn) {
    const hidden = activations[config.hidden_act](linear(scope.at('fc1'), x, wide));
    return linear(scope.at('fc2'), hidden, width);
  }
  const gated = 8 * Math.floor((Math.trunc((wide * 2) / 3) + 7) / 8);
  const gate = silu(linear(scope.at('gate_proj'), x, gated));
  return linear(scope.at('down_proj'), mul(gate, linear(scope.at('up_proj'), x, gated)), width);
}

function selfAttention(scope: Scope, x: Value, config: VitConfig): Value {
  const { hidden_size: width, num_attention_heads: heads, qkv_bias: bias } = config;
  const projected = (name: string): Value => linear(scope.at('attention', name), x, width, { bias });
  const [q, k, v] = [projected('query'), projected('key'), projected('value')];
  const mixed = attention(q, k, v, { heads, scale: 1 / Math.sqrt(width / heads), causal: false });
  return linear(scope.at('output', 'dense'), mixed, width);
}
