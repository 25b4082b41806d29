import { problem } from '../../../src-shared/messages/index.ts';
import type { PromptRules } from '../../../src-shared/domain/promptRules.ts';
import type { Tokenizer } from '../models/tokenizer.ts';
import { i64, type HostTensor } from '../tensor/tensor.ts';
import { promptLength, type PromptStates } from '../models/textEncoders.ts';
import type { PromptEmbeds } from './batches.ts';
import type { Networks } from './networks.ts';
import { defaultSize, sizesFor, type Size } from './sizes.ts';
import { emptyChunk, promptChunks, type PromptChunk } from './promptChunks.ts';

type Floats = HostTensor<'f32'>;

/** Prompts as the text encoders read them, context [1,77·n,d], each text encoded once. */
export class PromptEncoder {
  private readonly contexts = new Map<string, PromptEmbeds>();
  private readonly chunks = new Map<string, PromptStates<Floats>>();

  constructor(
    private readonly networks: Networks,
    private readonly tokenizer: Tokenizer,
    private readonly rules: PromptRules,
    private readonly onWarning?: ((message: string) => void) | undefined,
    /** The size of the pictures: an input of SDXL. */
    private readonly size: Size = defaultSize(networks.model),
    /** Reads negative prompts in place of this one. */
    private readonly ofNegatives?: PromptEncoder | undefined,
  ) {}

  /** How many chunks of tokens a prompt takes. */
  length(prompt: string): number {
    return this.rules === 'a1111' ? promptChunks(prompt, this.tokenizer).length : 1;
  }

  /** The prompt in `length` chunks; those that it lacks are empty prompts. Errors: `tokenizer.invalid`. */
  async encode(prompt: string, length: number): Promise<PromptEmbeds> {
    const key = `${length} ${prompt}`;
    const known = this.contexts.get(key);
    if (known) return known;
    const chunks = this.rules === 'a1111' ? promptChunks(prompt, this.tokenizer) : [this.plain(prompt)];
    while (chunks.length < length) chunks.push(emptyChunk(this.tokenizer));
    const states: PromptStates<Floats>[] = [];
    for (const chunk of chunks) states.push(await this.encodeChunk(chunk));
    const context = oneAfterTheOther(states.map((state) => state.context));
    // The first chunk of a long prompt stands for the whole, as in AUTOMATIC1111's web UI.
    const pooled = states[0]?.pooled;
    const encoded: PromptEmbeds = {
      context,
      ...(pooled && { added: { text_embeds: pooled, time_ids: sizesFor(this.size) } }),
    };
    this.contexts.set(key, encoded);
    return encoded;
  }

  /** What an empty negative prompt is: zeros, for a model that was trained so, else the empty text. */
  async encodeNegative(negative: string, length: number): Promise<PromptEmbeds> {
    const encoded = await (this.ofNegatives ?? this).encode(negative, length);
    if (negative !== '' || !this.networks.model.zeroNegative || !encoded.added) return encoded;
    const { context, added } = encoded;
    return { context: zeros(context), added: { ...added, text_embeds: zeros(added.text_embeds) } };
  }

  /** As diffusers reads a prompt: one chunk, and what does not fit is cut. */
  private plain(prompt: string): PromptChunk {
    const { ids, truncated } = this.tokenizer.encode(prompt);
    if (truncated !== undefined)
      this.onWarning?.(
        `The prompt is longer than ${this.tokenizer.maxLength} tokens; this part was cut off: "${beginning(truncated)}".`,
      );
    return { ids, weights: ids.slice(0, this.tokenizer.maxLength).map(() => 1) };
  }

  private async encodeChunk({ ids, weights }: PromptChunk): Promise<PromptStates<Floats>> {
    const key = `${ids.join()} ${weights.join()}`;
    const known = this.chunks.get(key);
    if (known) return known;
    const { model } = this.networks;
    const { textEncoder, textEncoder2 } = model;
    const words = textEncoder.config.vocab_size;
    const places = promptLength(model);
    if (ids.length > places || (textEncoder2 && ids.length < places))
      throw problem('tokenizer.invalid', {
        file: model.path,
        why: `the text encoder reads only ${places} of its ${ids.length} tokens`,
      });
    if (ids.some((id) => id >= words))
      throw problem('tokenizer.invalid', {
        file: this.networks.model.path,
        why: `the text encoder knows only ${words} tokens`,
      });
    const { context, pooled } = await this.networks.encodeText(i64([1, ids.length], [...ids]));
    const first = textEncoder.config.hidden_size;
    const state = textEncoder2
      ? { context: eachWeighted(context, weights, first), pooled }
      : { context: weighted(context, weights) };
    this.chunks.set(key, state);
    return state;
  }
}

/**
 * Multiplies each token's state by its weight, then all of them so that their mean is unchanged: the emphasis "Original" of
 * AUTOMATIC1111's web UI.
 */
function weighted(state: Floats, weights: readonly number[]): Floats {
  if (weights.every((weight) => weight === 1)) return state;
  const width = state.shape[2] as number;
  const data = state.data.map((value, i) => value * (weights[Math.floor(i / width)] as number));
  const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);
  const restored = sum(state.data) / sum(data);
  return { ...state, data: data.map((value) => value * restored) };
}

/** Two encoders' states side by side [1,t,d], the first one's `first` wide: each is weighted by itself. */
function eachWeighted(state: Floats, weights: readonly number[], first: number): Floats {
  if (weights.every((weight) => weight === 1)) return state;
  const width = state.shape[2] as number;
  const rows = state.data.length / width;
  const part = (start: number, end: number): Floats => {
    const data = new Float32Array(rows * (end - start));
    for (let row = 0; row < rows; row++)
      data.set(state.data.subarray(row * width + start, row * width + end), row * (end - start));
    return weighted({ ...state, shape: [1, rows, end - start], data }, weights);
  };
  const [left, right] = [part(0, first), part(first, width)];
  const data = new Float32Array(state.data.length);
  for (let row = 0; row < rows; row++) {
    data.set(left.data.subarray(row * first, (row + 1) * first), row * width);
    data.set(right.data.subarray(row * (width - first), (row + 1) * (width - first)), row * width + first);
  }
  return { ...state, data };
}

const zeros = (tensor: Floats): Floats => ({ ...tensor, data: tensor.data.map(() => 0) });

/** [1,t,d] each → [1,Σt,d]. */
function oneAfterTheOther(states: readonly Floats[]): Floats {
  const [first, ...others] = states;
  if (!first) throw new Error('a prompt has at least one chunk');
  if (others.length === 0) return first;
  const data = new Float32Array(states.reduce((length, state) => length + state.data.length, 0));
  let at = 0;
  for (const state of states) {
    data.set(state.data, at);
    at += state.data.length;
  }
  const width = first.shape[2] as number;
  return { dtype: 'f32', shape: [1, data.length / width, width], data };
}

function beginning(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
