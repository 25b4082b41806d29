import type { LearningRateSchedule } from '../../../src-shared/domain/loopSettings.ts';

export interface LearningRateOptions {
  readonly schedule: LearningRateSchedule;
  readonly warmup: number;
  readonly steps: number;
}

/** The factor on the base rate for update `index` (from 0), as diffusers.optimization computes it. */
export function learningRateFactor(index: number, { schedule, warmup, steps }: LearningRateOptions): number {
  if (schedule === 'constant') return 1;
  if (index < warmup) return index / Math.max(1, warmup);
  if (schedule === 'constant_with_warmup') return 1;
  const progress = (index - warmup) / Math.max(1, steps - warmup);
  if (schedule === 'cosine') return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
  return Math.max(0, 1 - progress);
}
