import { z } from 'zod';
import { problem } from '../../../../src-shared/messages/index.ts';
import { learningRateSchedules } from '../../optim/learningRate.ts';
import type { ProviderChoice } from '../../runtime/providers.ts';
import type { LoopSettings } from './loopSettings.ts';

/** What a distillation is told; kept in the run's folder, so that it can go on later. Paths are absolute. */
export interface DistillSettings extends LoopSettings {
  readonly teacher: string;
  readonly student: string;
  /** Pictures with captions, or nothing where `replay` is given. */
  readonly data?: string | undefined;
  /** Recorded batches instead of pictures. */
  readonly replay?: string | undefined;
  /** Weights of the three losses (Kim et al. 2023, BK-SDM, equation 4). */
  readonly lambdaSd: number;
  readonly lambdaOutput: number;
  readonly lambdaFeature: number;
  /** Pictures a batch. */
  readonly batch: number;
  /** Decay of a moving average of the weights, which checkpoints then hold; none when left out. */
  readonly ema?: number | undefined;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly seed: number;
  /** Side of the square pictures in pixels. */
  readonly size: number;
  /** Half the pictures are mirrored. */
  readonly flip: boolean;
  readonly samplePrompt: string;
  readonly provider: ProviderChoice;
}

const count = z.int().min(1).max(1e9);
const amount = z.number().min(0);
const decay = z.number().min(0).lt(1);
const schema = z.object({
  teacher: z.string().min(1),
  student: z.string().min(1),
  steps: count,
  lambdaSd: amount,
  lambdaOutput: amount,
  lambdaFeature: amount,
  learningRate: amount,
  batch: z.int().min(1).max(65536),
  accumulate: z.int().min(1).max(65536),
  ema: decay.optional(),
  schedule: z.enum(learningRateSchedules),
  warmup: z.int().min(0),
  beta1: decay,
  beta2: decay,
  epsilon: z.number().positive(),
  weightDecay: amount,
  maxGradientNorm: z.number().positive(),
  seed: z.int().min(0),
  size: z.int().min(1).max(65536),
  checkpointEvery: count,
  sampleEvery: count.optional(),
});

/** What is wrong with settings, in words; nothing where a run can have them. */
export function distillFaultOf(settings: unknown): string | undefined {
  const { error } = schema.safeParse(settings);
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

/** Errors: `training.badSettings`. */
export function checkDistillSettings(settings: DistillSettings): void {
  const why = distillFaultOf(settings);
  if (why !== undefined) throw problem('training.badSettings', { why });
}
