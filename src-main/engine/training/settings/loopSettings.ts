import type { LearningRateSchedule } from '../../optim/learningRate.ts';

/** What any training says of its steps. */
export interface LoopSettings {
  readonly steps: number;
  /** Batches a step. */
  readonly accumulate: number;
  readonly learningRate: number;
  readonly schedule: LearningRateSchedule;
  readonly warmup: number;
  readonly maxGradientNorm: number;
  readonly checkpointEvery: number;
  readonly sampleEvery?: number | undefined;
}
