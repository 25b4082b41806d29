import type { FinetuneSettings, TrainingSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { classNounsOf, eachSubject } from '../../../../src-shared/domain/runSubjects.ts';
import type { Phase } from '../../../../src-shared/domain/jobEvents.ts';
import type { LoopSettings } from '../../../../src-shared/domain/loopSettings.ts';
import type { Guidance } from '../../../../src-shared/domain/guidance.ts';
import { usualSteps } from '../../../../src-shared/domain/classPlan.ts';
import { measuredBatchCount } from '../data/dataset.ts';

/** Sampling steps of a sample picture. */
export const samplingSteps = 25;
/** A forward and a backward pass, in forward passes. */
const stepPasses = 3;
/** Fewest steps for which a run's loss is measured before and after. */
const worthMeasuring = 20;

/** Whether a run's loss is measured, before its first step and after its last. */
export function isMeasuredRun({ steps }: Pick<LoopSettings, 'steps'>): boolean {
  return steps >= worthMeasuring;
}

type Sampling = Pick<LoopSettings, 'steps' | 'sampleEvery'>;

/**
 * Whether a sample is drawn after a step: where the run begins, every `sampleEvery` steps, and where it ends, so that the last
 * checkpoint has one too. A run of fewer steps than `sampleEvery` has the first alone.
 */
export function isSampled(step: number, { steps, sampleEvery: every }: Sampling): boolean {
  return every !== null && (step % every === 0 || (step === steps && steps > every));
}

/** How many samples a run draws. */
export function sampleCount({ steps, sampleEvery: every }: Sampling): number {
  if (every === null) return 0;
  return steps < every ? 1 : Math.ceil(steps / every) + 1;
}

/** Its time does not follow from a number of passes. */
export const building: Phase = { label: 'building the network', total: 1, weight: 0 };

/** The phases of the training loop; weights are forward passes of the network for one picture. `rows`: of a batch. */
export function loopPhases(settings: LoopSettings, rows: number, passesPerSample: number): Phase[] {
  const { steps, accumulate, checkpointEvery } = settings;
  const samples = sampleCount(settings);
  return [
    { label: 'steps', total: steps, weight: stepPasses * rows * accumulate },
    ...(samples > 0 ? [{ label: 'samples', total: samples, weight: passesPerSample }] : []),
    { label: 'checkpoints', total: Math.ceil(steps / checkpointEvery), weight: rows },
  ];
}

/** All phases of a finetune of `photos` pictures. */
export function finetunePhases(
  settings: TrainingSettings & Pick<FinetuneSettings, 'classPhotos'>,
  photos: number,
  guidance: Guidance,
): Phase[] {
  const { prior, batch } = settings;
  const subjects = eachSubject(settings).length;
  const classes = classNounsOf(settings).length;
  const rows = batch * (prior ? 2 : 1);
  const classImages = prior?.classImages ?? 0;
  const made = settings.classPhotos === undefined ? classImages * classes : 0;
  const reading = (label: string, total: number): Phase[] => (total > 0 ? [{ label, total, weight: 1 }] : []);
  return [
    ...(made > 0
      ? [{ label: 'class pictures', total: made, weight: 2 * (prior?.classSteps ?? usualSteps) }]
      : []),
    ...reading('reading photos', photos),
    ...reading('reading class pictures', classImages * subjects),
    building,
    ...(isMeasuredRun(settings) && photos > 0
      ? [{ label: 'measuring', total: 2, weight: stepPasses * rows * measuredBatchCount(batch) * subjects }]
      : []),
    ...loopPhases(
      settings,
      rows,
      samplingSteps * passesPerStep(guidance) * (settings.samplePrompt === null ? subjects : 1),
    ),
  ];
}

/** Three passes with base guidance, two with guidance alone, one without; one each once guidance has stopped. */
export function passesPerStep({ guidance, baseGuidance, guidanceStop }: Guidance): number {
  const guided = baseGuidance > 0 ? 3 : guidance > 1 ? 2 : 1;
  return guided * guidanceStop + (1 - guidanceStop);
}
