import type { SchedulerName } from '../../engine/schedulers/config.ts';
import type { Precision } from '../../../src-shared/domain/precision.ts';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';
import type { Box } from '../../../src-shared/domain/box.ts';
import type { Guidance } from '../../../src-shared/domain/guidance.ts';
import type { Prediction } from '../../../src-shared/domain/prediction.ts';
import type { PromptRules } from '../../../src-shared/domain/promptRules.ts';
import type { Upscale } from '../../../src-shared/domain/upscale.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';

/**
 * Something the model was taught, and its weight: a run's folder or one of its checkpoints, LoRA or full; a PEFT folder; a kohya
 * or diffusers file.
 */
export interface LoraChoice {
  readonly path: string;
  readonly weight: number;
}

/** Where to find LoRAs that prompts name. */
export interface NamedLoras {
  /** Folders whose runs, folders and files can be named; files without their endings. */
  readonly folders: readonly string[];
  /** Others, with names of their own. */
  readonly others: readonly { readonly name: string; readonly path: string }[];
}

/** A textual inversion, and the word that stands for it where that is not its own. */
export interface EmbeddingChoice {
  readonly path: string;
  readonly word?: string;
}

/** A recipe and the picture it was read from. */
export interface RecipeSource {
  readonly file: string;
  readonly recipe: Recipe;
}

/** A picture that is drawn over. */
export interface OverRequest {
  readonly image: string;
  /** The share of the steps that is taken, (0, 1]. */
  readonly strength: number;
  /** A picture of the same shape: white is redrawn, everything else keeps its pixels. */
  readonly mask?: string;
  /** Draw what the mask shows and this many of the picture's pixels around it, instead of the whole. */
  readonly maskPadding?: number;
}

/** A box of each picture, what draws it and from what prompt: subjects are kept apart. */
export interface RegionRequest {
  readonly box: Box;
  readonly lora: LoraChoice;
  readonly prompt: string;
}

/** What a person said about new pictures; what was left out, guidance too, is completed by the model. Paths are absolute. */
export interface GenerateRequest extends Partial<Guidance> {
  readonly prompts: readonly string[];
  /** The folder for the pictures. */
  readonly out: string;
  readonly model: string;
  /** The U-Net from elsewhere: a model, or the folder of a U-Net alone. */
  readonly unet?: string;
  readonly loras: readonly LoraChoice[];
  readonly regions?: readonly RegionRequest[];
  /** Accept a LoRA of which the model lacks parts; else that is an error. */
  readonly partial?: boolean;
  /** What the model predicts, where its file does not say it. */
  readonly prediction?: Prediction;
  /** How many of the text encoder's last layers are left out, as diffusers' `clip_skip`. */
  readonly clipSkip?: number;
  readonly embeddings?: readonly EmbeddingChoice[];
  readonly negative: string;
  readonly steps: number;
  readonly provider: ProviderChoice;
  /** What networks compute in, where the provider can; f32 when left out. */
  readonly precision?: Precision;
  /** Pictures a prompt. */
  readonly count: number;
  /** The folder's own when left out. */
  readonly scheduler?: SchedulerName;
  /** Picture i of a prompt uses seed + i; drawn and reported when left out. */
  readonly seed?: number;
  /** Pictures at once; what memory allows when left out. */
  readonly batch?: number;
  /** Pixels; the model's when left out. */
  readonly size?: { readonly width: number; readonly height: number };
  /** Safetensors with `latents` [n,c,h,w]: the starting noise before the scheduler's initial scaling. */
  readonly latents?: string;
  /** Where the final latents go, before the VAE's scaling factor is divided out. */
  readonly saveLatents?: string;
  /** File names below `out`, one a prompt: a set of pictures. Row r's picture i then has seed + r·count + i. */
  readonly names?: readonly string[];
  /** Leave pictures of a set that are there as they are. */
  readonly resume?: boolean;
  /** How prompts are read; as written when left out. */
  readonly promptRules?: PromptRules;
  /** Where to find LoRAs that prompts name; without it, such names mean nothing. */
  readonly named?: NamedLoras;
  /** If the same request was interrupted, make only the rest. */
  readonly goOn?: boolean;
  /** New pictures from nothing when left out. */
  readonly over?: OverRequest;
  /** As they are drawn when left out. */
  readonly upscale?: Upscale;
  /** Size that each picture is resized to, by Pillow's bicubic filter. */
  readonly resize?: { readonly width: number; readonly height: number };
  /** Where the request was read from, if from a picture. */
  readonly recipe?: RecipeSource;
}

export const generateDefaults = {
  loras: [],
  negative: '',
  steps: 25,
  count: 1,
  provider: 'auto',
} as const satisfies Partial<GenerateRequest>;
