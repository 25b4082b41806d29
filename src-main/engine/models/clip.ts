import { add, attention, gather, gelu, matmul, mul, quickGelu, slice } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { layerNorm, linear } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';
import type { ClipLayerConfig, ClipTextConfig } from './config.ts';

/** Words that are being learnt: which of `count` vectors stands in each place, [b,t,count] of 0 and 1, and where none does, [b,t,1]. */
export interface LearntWords {
  readonly count: number;
  readonly which: Value;
  readonly none: Value;
}

/**
 * transformers' `CLIPTextModel`: ids i64 [b,t] → last hidden state [b,t,d], after the final layer norm.
 * Tensors have the published names, `text_model.…`. Where `learnt` words stand, the ids do not matter.
 */
export function clipTextModel(
  scope: Scope,
  inputIds: Value,
  config: ClipTextConfig,
  learnt?: LearntWords,
): Value {
  const states = clipHidden(scope, inputIds, config, config.num_hidden_layers, learnt);
  return clipFinalNorm(scope, states, config);
}

/** transformers' `hidden_states[layers]`: ids i64 [b,t] → [b,t,d] after so many layers, not normed. */
export function clipHidden(
  scope: Scope,
  inputIds: Value,
  config: ClipTextConfig,
  layers: number,
  learnt?: LearntWords,
): Value {
  const model = scope.at('text_model');
  const { hidden_size: width } = config;
  const length = inputIds.shape[1] as number;
  const tokens = model.at('embeddings', 'token_embedding').weight('weight', [config.vocab_size, width]);
  const positions = model
    .at('embeddings', 'position_embedding')
    .weight('weight', [config.max_position_embeddings, width]);
  const known = gather(tokens, inputIds);
  const words = learnt
    ? add(
        mul(known, learnt.none),
        matmul(learnt.which, model.at('embeddings', 'learnt_words').weight('weight', [learnt.count, width])),
      )
    : known;
  let x = add(words, slice(positions, 0, 0, length));
  for (let i = 0; i < layers; i++) x = clipLayer(model.at('encoder', 'layers', i), x, config, true);
  return x;
}

export function clipFinalNorm(scope: Scope, x: Value, config: ClipTextConfig): Value {
  return layerNorm(scope.at('text_model', 'final_layer_norm'), x, config.layer_norm_eps);
}

/** transformers' `CLIPEncoderLayer`, of either tower: x [b,t,d] → [b,t,d]; causal in the text encoder. */
export function clipLayer(scope: Scope, x: Value, config: ClipLayerConfig, causal: boolean): Value {
  const { hidden_size: width, layer_norm_eps: epsilon } = config;
  const attended = add(
    x,
    selfAttention(scope.at('self_attn'), layerNorm(scope.at('layer_norm1'), x, epsilon), config, causal),
  );
  const normed = layerNorm(scope.at('layer_norm2'), attended, epsilon);
  const activation = config.hidden_act === 'gelu' ? gelu : quickGelu;
  const hidden = activation(linear(scope.at('mlp', 'fc1'), normed, config.intermediate_size));
  return add(attended, linear(scope.at('mlp', 'fc2'), hidden, width));
}

function selfAttention(
  scope: Scope,
  x: Value,
  { hidden_size: width, num_attention_heads: heads }: ClipLayerConfig,
  causal: boolean,
): Value {
  const projected = (name: string): Value => linear(scope.at(name), x, width);
  const [q, k, v] = [projected('q_proj'), projected('k_proj'), projected('v_proj')];
  const mixed = attention(q, k, v, { heads, scale: 1 / Math.sqrt(width / heads), causal });
  return linear(scope.at('out_proj'), mixed, width);
}
