import type { ClipTextConfig, UNetConfig, VaeConfig } from '../models/config.ts';
import type { KnownPrediction } from './prediction.ts';
import { Weights } from './weights.ts';

/** The folder of a model that holds pictures of places, without any subject. */
export const placesFolder = 'places';

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
  /** SDXL's second one. */
  readonly textEncoder2?: ModelPart<ClipTextConfig>;
  /** `scheduler_config.json` as found. */
  readonly scheduler: Readonly<Record<string, unknown>>;
  /** Only for single files: folders say it in their scheduler. */
  readonly prediction?: KnownPrediction;
  /** Undefined for a single file: those hold no vocabulary, as it is always CLIP's. */
  readonly tokenizer: TokenizerFiles | undefined;
  /** That of the second text encoder. */
  readonly tokenizer2?: TokenizerFiles | undefined;
  /** An empty negative prompt is zeros instead of the empty text's states: `force_zeros_for_empty_prompt`. */
  readonly zeroNegative?: boolean;
}

/** The networks that can be trained, by the names of their folders. */
export const networkNames = ['unet', 'text_encoder', 'text_encoder_2'] as const;
export type NetworkName = (typeof networkNames)[number];

/** The networks of a model that can be trained. */
export type TrainableNetworks = Pick<Model, 'unet' | 'textEncoder' | 'textEncoder2'>;

/** A network's weights; none of a second text encoder that the model lacks. */
export function weightsOf(model: TrainableNetworks, name: NetworkName): Weights {
  const { unet, textEncoder, textEncoder2 } = model;
  const part = { unet, text_encoder: textEncoder, text_encoder_2: textEncoder2 }[name];
  return part?.weights ?? new Weights(textEncoder.weights.source, new Map());
}

/** The networks of a model that can be trained, those that it has. */
export function networksOf({ textEncoder2 }: Pick<Model, 'textEncoder2'>): NetworkName[] {
  return networkNames.filter((name) => name !== 'text_encoder_2' || textEncoder2);
}
