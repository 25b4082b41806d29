import type { LearningRateSchedule } from '../optim/learningRate.ts';
import type { ProviderChoice } from '../runtime/providers.ts';
import type { LoraSettings } from './lora.ts';

/** What a finetune run is told; kept in the run's folder, so that it can go on later. Paths are absolute. */
export interface FinetuneSettings {
  readonly model: string;
  /** A folder of the subject's photos, or nothing where `replay` is given. */
  readonly photos?: string | undefined;
  /** Class noun: "dog". */
  readonly classNoun: string;
  /** Identifier: "sks". */
  readonly token: string;
  readonly method: 'lora' | 'full';
  readonly steps: number;
  readonly learningRate: number;
  /** Subject pictures a batch; with a prior as many class pictures join them. */
  readonly batch: number;
  readonly accumulate: number;
  readonly schedule: LearningRateSchedule;
  readonly warmup: number;
  readonly lora: LoraSettings;
  readonly textLora: LoraSettings;
  readonly trainTextEncoder: boolean;
  /** No prior preservation when left out. */
  readonly prior?: { readonly weight: number; readonly classImages: number } | undefined;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly maxGradientNorm: number;
  readonly seed: number;
  /** Side of the square training pictures in pixels. */
  readonly size: number;
  readonly crop: 'center' | 'random';
  readonly flip: boolean;
  readonly checkpointEvery: number;
  /** No samples when left out. */
  readonly sampleEvery?: number | undefined;
  readonly samplePrompt?: string | undefined;
  /** A PEFT folder whose A and B the run starts from. */
  readonly initLora?: string | undefined;
  /** Recorded batches instead of photos. */
  readonly replay?: string | undefined;
  readonly provider: ProviderChoice;
}

/** "a photo of sks dog", and the same without the token for class pictures. */
export function subjectPrompt({ token, classNoun }: Pick<FinetuneSettings, 'token' | 'classNoun'>): string {
  return `a photo of ${token} ${classNoun}`;
}

export function classPrompt({ classNoun }: Pick<FinetuneSettings, 'classNoun'>): string {
  return `a photo of ${classNoun}`;
}
