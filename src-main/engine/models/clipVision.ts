import { add, concat, conv2d, expand, gather, reshape, slice, transpose } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { layerNorm, linear } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';
import { clipLayer, clipTextModel } from './clip.ts';
import type { ClipLayerConfig, ClipTextConfig } from './config.ts';
import { dims2, dims3, dims4 } from '../tensor/tensor.ts';

export interface ClipVisionConfig extends ClipLayerConfig {
  readonly num_hidden_layers: number;
  readonly num_channels: number;
  readonly image_size: number;
  readonly patch_size: number;
}

/**
 * transformers' `CLIPModel.get_image_features`: pixels [b,c,size,size], prepared → embeddings [b,projection], not yet of length 1.
 * The misspelt `pre_layrnorm` is the published name.
 */
export function clipImageEmbeds(
  root: Scope,
  pixels: Value,
  config: ClipVisionConfig,
  projection: number,
): Value {
  const scope = root.at('vision_model');
  const { hidden_size: width, layer_norm_eps: epsilon } = config;
  const embeddings = scope.at('embeddings');
  const patches = patchTokens(
    pixels,
    embeddings
      .at('patch_embedding')
      .weight('weight', [width, config.num_channels, config.patch_size, config.patch_size]),
    undefined,
  );
  const first = reshape(embeddings.weight('class_embedding', [width]), [1, 1, width]);
  const tokens = withFirst(first, patches);
  const count = tokens.shape[1] as number;
  const positions = embeddings.at('position_embedding').weight('weight', [count, width]);
  let x = layerNorm(scope.at('pre_layrnorm'), add(tokens, positions), epsilon);
  for (let i = 0; i < config.num_hidden_layers; i++)
    x = clipLayer(scope.at('encoder', 'layers', i), x, config, false);
  const pooled = layerNorm(scope.at('post_layernorm'), firstToken(x), epsilon);
  return linear(root.at('visual_projection'), pooled, projection, { bias: false });
}

/**
 * transformers' `CLIPModel.get_text_features`: ids i64 [b,t] and the place of each prompt's end, i64 [b], counted through the whole
 * batch (row·t + place) → embeddings [b,projection], not yet of length 1.
 */
export function clipTextEmbeds(
  root: Scope,
  ids: Value,
  ends: Value,
  config: ClipTextConfig,
  projection: number,
): Value {
  const states = clipTextModel(root, ids, config);
  const pooled = gather(reshape(states, [-1, config.hidden_size]), ends);
  return linear(root.at('text_projection'), pooled, projection, { bias: false });
}

/** Pictures [b,c,h,w] cut into patches, each a token: [b,patches,width], rows from the top. */
export function patchTokens(pixels: Value, weight: Value, bias: Value | undefined): Value {
  const [tall, wide] = dims2(weight.shape.slice(2));
  const grid = conv2d(pixels, weight, bias, { stride: [tall, wide], padding: [0, 0, 0, 0] });
  const [batch, width] = dims4(grid.shape);
  return transpose(reshape(grid, [batch, width, -1]), [0, 2, 1]);
}

/** `first` [1,1,d] before the tokens [b,t,d] of every picture. */
export function withFirst(first: Value, tokens: Value): Value {
  const [batch, , width] = dims3(tokens.shape);
  return concat([expand(first, [batch, 1, width]), tokens], 1);
}

/** [b,t,d] → [b,d]. */
export function firstToken(x: Value): Value {
  const [batch, , width] = dims3(x.shape);
  return reshape(slice(x, 1, 0, 1), [batch, width]);
}
