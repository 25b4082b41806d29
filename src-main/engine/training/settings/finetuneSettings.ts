import { basename } from 'node:path';
import { z } from 'zod';
import { problem } from '../../../../src-shared/messages/index.ts';
import { learningRateSchedules, type LearningRateSchedule } from '../../optim/learningRate.ts';
import type { ProviderChoice } from '../../runtime/providers.ts';

export interface LoraSettings {
  readonly rank: number;
  readonly alpha: number;
  /** Last names of modules ("to_q"), as PEFT's `target_modules`. */
  readonly targets: readonly string[];
}

/** What a finetune run is told; kept in the run's folder, so that it can go on later. Paths are absolute. */
export interface FinetuneSettings {
  readonly model: string;
  /** A folder of the subject's photos, or nothing where `replay` is given. */
  readonly photos?: string | undefined;
  /**
   * Where photos were taken, by file name: "on a wooden floor". Said in their prompts, so that places are not learnt as the subject's;
   * nothing is said of a photo that is left out.
   */
  readonly photoScenes?: Readonly<Record<string, string>> | undefined;
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
  /** What the squared error of a latent outside of a photo's mask weighs, 0…1; 1, or left out: masks change nothing. */
  readonly backgroundWeight?: number | undefined;
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

const count = z.int().min(1).max(1e9);
const amount = z.number().min(0);
const decay = z.number().min(0).lt(1);
const lora = z.object({
  rank: z.int().min(1).max(65536),
  alpha: amount,
  targets: z.array(z.string().min(1)).min(1),
});
const schema = z.object({
  model: z.string().min(1),
  photoScenes: z.record(z.string(), z.string()).optional(),
  classNoun: z.string(),
  token: z.string(),
  method: z.enum(['lora', 'full']),
  steps: count,
  learningRate: amount,
  batch: z.int().min(1).max(65536),
  accumulate: z.int().min(1).max(65536),
  schedule: z.enum(learningRateSchedules),
  warmup: z.int().min(0),
  lora,
  textLora: lora,
  trainTextEncoder: z.boolean(),
  prior: z.object({ weight: amount, classImages: count }).optional(),
  beta1: decay,
  beta2: decay,
  epsilon: z.number().positive(),
  weightDecay: amount,
  maxGradientNorm: z.number().positive(),
  seed: z.int().min(0),
  size: z.int().min(8).max(4096),
  backgroundWeight: z.number().min(0).max(1).optional(),
  checkpointEvery: count,
  sampleEvery: count.optional(),
});

/** What is wrong with settings, in words; nothing where a run can have them. */
export function faultOf(settings: unknown): string | undefined {
  const { error } = schema.safeParse(settings);
  return error?.issues
    .map(
      ({ path, message }) =>
        `${path.join('.') || 'settings'}: ${message.replace(/received undefined$/, 'found nothing')}`,
    )
    .join('; ');
}

/** Errors: `training.badSettings`. */
export function checkSettings(settings: FinetuneSettings): void {
  const why = faultOf(settings);
  if (why !== undefined) throw problem('training.badSettings', { why });
}

/** "a photo of sks dog", and the same without the token for class pictures. */
export function subjectPrompt({ token, classNoun }: Pick<FinetuneSettings, 'token' | 'classNoun'>): string {
  return `a photo of ${token} ${classNoun}`;
}

/** What a photo is trained with. */
export function photoPrompt(
  settings: Pick<FinetuneSettings, 'token' | 'classNoun' | 'photoScenes'>,
  file: string,
): string {
  const scene = settings.photoScenes?.[basename(file)];
  return [subjectPrompt(settings), ...(scene ? [scene] : [])].join(' ');
}

export function classPrompt({ classNoun }: Pick<FinetuneSettings, 'classNoun'>): string {
  return `a photo of ${classNoun}`;
}
