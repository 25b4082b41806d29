import type { ClipTextConfig, UNetConfig, VaeConfig } from '../models/config.ts';
import type { KnownPrediction } from './prediction.ts';
import type { Weights } from './weights.ts';

/** One network of a model: its sizes, and its weights under diffusers' names. */
export interface ModelPart<Config> {
  readonly config: Config;
  /**
   * The text of `config.json` as found (or as inferred from a single file), for writing it out again. Text, because a
   * JavaScript number can't say `1.0`, and transformers 5 refuses a `1` where it wants a float.
   */
  readonly configText: string;
  readonly weights: Weights;
}

export interface TokenizerFiles {
  readonly folder: string;
  readonly vocabFile: string | undefined;
  readonly mergesFile: string | undefined;
  /** transformers 5 and "fast" tokenizers keep vocabulary and merges in here. */
  readonly tokenizerFile: string | undefined;
  readonly config: Readonly<Record<string, unknown>>;
  readonly specialTokens: Readonly<Record<string, unknown>>;
}

export interface Model {
  readonly path: string;
  readonly kind: 'diffusers' | 'single-file';
  readonly unet: ModelPart<UNetConfig>;
  readonly vae: ModelPart<VaeConfig>;
  readonly textEncoder: ModelPart<ClipTextConfig>;
  /** `scheduler_config.json` as found. */
  readonly scheduler: Readonly<Record<string, unknown>>;
  /** Of a single file: folders say it in their scheduler. */
  readonly prediction?: KnownPrediction;
  /** Undefined for a single file: those hold no vocabulary, as it is always CLIP's. */
  readonly tokenizer: TokenizerFiles | undefined;
}
