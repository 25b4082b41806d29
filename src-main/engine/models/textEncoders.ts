import { concat, gather, input, reshape, slice } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { linear } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';
import type { HostTensor } from '../tensor/tensor.ts';
import { clipFinalNorm, clipHidden, clipLayer, clipTextModel, type LearntWords } from './clip.ts';
import type { ClipTextConfig } from './config.ts';

/** The text encoders of a model: one, or SDXL's two. */
export interface TextEncoders {
  readonly textEncoder: { readonly config: ClipTextConfig };
  readonly textEncoder2?: { readonly config: ClipTextConfig } | undefined;
}

/** Prompts as a U-Net takes them. */
export interface PromptStates<T = Value> {
  /** What cross-attention looks at [b,t,d]. */
  readonly context: T;
  /** SDXL's pooled prompt [b,p]. */
  readonly pooled?: T | undefined;
}

/** The inputs of the text encoders. */
export interface PromptTokens<T = Value> {
  /** i64 [b,t], or [b,2t] for two encoders: the first one's tokens, then the second's. */
  readonly ids: T;
  /** Where each prompt ends for the second encoder, i64 [b]: `promptEnds`. */
  readonly ends?: T | undefined;
}

/**
 * Prompts through a model's text encoders. One gives its last hidden state. Of SDXL's two, each gives its last state but one, unnormed,
 * side by side; the second also gives the projected state of the prompt's end (Podell et al. 2023; diffusers'
 * `StableDiffusionXLPipeline.encode_prompt`). `learnt` words need a single encoder.
 */
export function encodePrompt(
  scopeOf: (part: 'text_encoder' | 'text_encoder_2') => Scope,
  { ids, ends }: PromptTokens,
  { textEncoder: { config: first }, textEncoder2 }: TextEncoders,
  learnt?: LearntWords,
): PromptStates {
  if (!textEncoder2) return { context: clipTextModel(scopeOf('text_encoder'), ids, first, learnt) };
  if (!ends) throw new Error('the second text encoder wants to know where prompts end');
  const { config: second } = textEncoder2;
  const length = first.max_position_embeddings;
  const [own, other] = [slice(ids, 1, 0, length), slice(ids, 1, length, 2 * length)];
  const states = clipHidden(scopeOf('text_encoder'), own, first, first.num_hidden_layers - 1);
  const scope = scopeOf('text_encoder_2');
  const beforeLast = clipHidden(scope, other, second, second.num_hidden_layers - 1);
  const last = scope.at('text_model', 'encoder', 'layers', second.num_hidden_layers - 1);
  const final = clipFinalNorm(scope, clipLayer(last, beforeLast, second, true), second);
  const atEnd = gather(reshape(final, [-1, second.hidden_size]), ends);
  const pooled = linear(scope.at('text_projection'), atEnd, second.projection_dim, { bias: false });
  return { context: concat([states, beforeLast], 2), pooled };
}

/** The input for it: spread into the tokens. */
export function promptEndsInput({ textEncoder2 }: TextEncoders, batch: number): { ends?: Value } {
  return textEncoder2 ? { ends: input('prompt_ends', [batch], 'i64') } : {};
}

/** Width of the context that they give. */
export function contextWidth({ textEncoder, textEncoder2 }: TextEncoders): number {
  return textEncoder.config.hidden_size + (textEncoder2?.config.hidden_size ?? 0);
}

/** Tokens of a prompt, over all encoders. */
export function promptLength({ textEncoder, textEncoder2 }: TextEncoders): number {
  return (textEncoder2 ? 2 : 1) * textEncoder.config.max_position_embeddings;
}

/**
 * Where each prompt ends for the second encoder, counted through the whole batch of its tokens: i64 [b]; undefined for one encoder.
 * As transformers' `CLIPTextTransformer`: the first end token; with the old setting `eos_token_id` 2, the first of the greatest ones.
 */
export function promptEnds(
  { shape, data }: HostTensor<'i64'>,
  { textEncoder2 }: TextEncoders,
): HostTensor<'i64'> | undefined {
  if (!textEncoder2) return undefined;
  const { eos_token_id: end } = textEncoder2.config;
  const [rows = 0, both = 0] = shape;
  const length = both / 2;
  const places = Array.from({ length: rows }, (_, row) => {
    const ids = data.subarray(row * both + length, (row + 1) * both);
    const wanted = end === 2 ? ids.reduce((most, id) => (id > most ? id : most), 0n) : BigInt(end);
    return BigInt(row * length + Math.max(0, ids.indexOf(wanted)));
  });
  return { dtype: 'i64', shape: [rows], data: BigInt64Array.from(places) };
}
