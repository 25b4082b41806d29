import { usualSteps } from '../../../src-shared/domain/classPlan.ts';
import type { TrainingSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { measuredBatchCount } from '../../engine/training/data/dataset.ts';
import { finetunePhases } from '../../engine/training/run/plan.ts';
import { guidanceOf } from '../../../src-shared/domain/guidance.ts';
import type { Measured } from '../../storage/measurements.ts';

/** Seconds of one unit of each phase, by the dry run. Phases that are left out take hardly any time. */
export function expectedSeconds(
  { accumulate, batch, prior }: TrainingSettings,
  { setup, secondsPerStep, secondsPerPicture }: Measured,
): Readonly<Record<string, number>> {
  return {
    'class pictures': secondsPerPicture * ((prior?.classSteps ?? usualSteps) / usualSteps),
    'reading photos': 0,
    'reading class pictures': 0,
    'building the network': setup,
    measuring: secondsPerStep * measuredBatchCount(batch),
    steps: accumulate * secondsPerStep,
    samples: secondsPerPicture,
    checkpoints: 0,
  };
}

/** Seconds of the whole run; `ownClass`: without drawing class pictures. */
export function secondsOf(settings: TrainingSettings, measured: Measured, ownClass = false): number {
  const expected: Readonly<Record<string, number>> = {
    ...expectedSeconds(settings, measured),
    ...(ownClass && { 'class pictures': 0 }),
  };
  return finetunePhases(settings, 1, guidanceOf({ guidance: 1 })).reduce(
    (sum, { label, total }) => sum + total * (expected[label] ?? 0),
    0,
  );
}
