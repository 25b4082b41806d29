import { problem } from '../../../src-shared/messages/index.ts';
import type { PromptRules } from '../../../src-shared/domain/promptRules.ts';
import type { Tokenizer } from '../models/tokenizer.ts';
import { i64, type HostTensor } from '../tensor/tensor.ts';
import type { Networks } from './networks.ts';
import { emptyChunk, promptChunks, type PromptChunk } from './promptChunks.ts';

type Floats = HostTensor<'f32'>;

/** The text encoder's last hidden states [1,77·n,d] of prompts, each text encoded once. */
export class PromptEncoder {
  private readonly contexts = new Map<string, Floats>();
  private readonly chunks = new Map<string, Floats>();

  constructor(
    private readonly networks: Networks,
    private readonly tokenizer: Tokenizer,
    private readonly rules: PromptRules,
    private readonly onWarning?: ((message: string) => void) | undefined,
  ) {}

  /** How many chunks of tokens a prompt takes. */
  length(prompt: string): number {
    return this.rules === 'a1111' ? promptChunks(prompt, this.tokenizer).length : 1;
  }

  /** The prompt in `length` chunks; those that it lacks are empty prompts. Errors: `tokenizer.invalid`. */
  async encode(prompt: string, length: number): Promise<Floats> {
    const key = `${length} ${prompt}`;
    const known = this.contexts.get(key);
    if (known) return known;
    const chunks = this.rules === 'a1111' ? promptChunks(prompt, this.tokenizer) : [this.plain(prompt)];
    while (chunks.length < length) chunks.push(emptyChunk(this.tokenizer));
    const states: Floats[] = [];
    for (const chunk of chunks) states.push(await this.encodeChunk(chunk));
    const context = oneAfterTheOther(states);
    this.contexts.set(key, context);
    return context;
  }

  /** As diffusers reads a prompt: one chunk, and what does not fit is cut. */
  private plain(prompt: string): PromptChunk {
    const { ids, truncated } = this.tokenizer.encode(prompt);
    if (truncated !== undefined)
      this.onWarning?.(
        `The prompt is longer than ${ids.length} tokens; this part was cut off: "${beginning(truncated)}".`,
      );
    return { ids, weights: ids.map(() => 1) };
  }

  private async encodeChunk({ ids, weights }: PromptChunk): Promise<Floats> {
    const key = `${ids.join()} ${weights.join()}`;
    const known = this.chunks.get(key);
    if (known) return known;
    const { config } = this.networks.model.textEncoder;
    const words = config.vocab_size;
    const places = config.max_position_embeddings;
    if (ids.length > places)
      throw problem('tokenizer.invalid', {
        file: this.networks.model.path,
        why: `the text encoder reads only ${places} of its ${ids.length} tokens`,
      });
    if (ids.some((id) => id >= words))
      throw problem('tokenizer.invalid', {
        file: this.networks.model.path,
        why: `the text encoder knows only ${words} tokens`,
      });
    const state = weighted(await this.networks.encodeText(i64([1, ids.length], [...ids])), weights);
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

/** [1,t,d] each → [1,Σt,d]. */
function oneAfterTheOther(states: readonly Floats[]): Floats {
  const [first, ...others] = states as [Floats, ...Floats[]];
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
