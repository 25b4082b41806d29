import { existsSync } from 'node:fs';
import type { LoopSettings } from '../../../../src-shared/domain/loopSettings.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import { learningRateFactor } from '../../optim/learningRate.ts';
import type { Feeds } from '../loss/gradients.ts';
import type { RunFolder } from './runFolder.ts';
import type { Trainer } from './trainer.ts';

export interface Loop {
  readonly run: RunFolder;
  readonly trainer: Trainer;
  readonly settings: LoopSettings;
  /** The inputs of batch 0, 1, …: a function of the number alone. */
  readonly batch: (index: number) => Feeds;
  /** Arrays that belong to the state besides the trainer's own. */
  readonly arrays?: Readonly<Record<string, Float32Array>>;
  /** After update `step` (1, 2, …). */
  readonly onStep?: (step: number) => Promise<void>;
  /** The loss on something that stays the same, as the weights are now. */
  readonly measure?: () => Promise<number>;
  /** Writes a checkpoint's files into a folder. */
  readonly write: (folder: string) => void;
  /** Draws a sample picture. */
  readonly draw: (path: string) => Promise<string>;
  /** Throws where the weights that the run started from are to blame for a loss that is no number. */
  readonly blame: () => void;
}

export interface RunResult {
  readonly steps: number;
  /** Loss of the last step. */
  readonly loss: number;
  /** Folder of the last checkpoint. */
  readonly checkpoint: string;
}

/** Losses that are averaged. */
const smoothing = 20;
/** Steps of a run from which on its loss is measured before and after. */
const worthMeasuring = 20;

/**
 * Takes a run from where its folder says it is to its last step. Every step is a function of the settings and the step's number,
 * so a run that was stopped anywhere ends in the same bits. Errors: `run.stateDamaged`, `training.diverged`,
 * `file.unwritable`; the signal's reason when it aborts.
 */
export async function trainingLoop(loop: Loop, { report, signal }: JobContext): Promise<RunResult> {
  const { run, trainer, settings } = loop;
  const state = { values: trainer.values, ...trainer.optimizer.state, ...loop.arrays };
  let step = run.restoreState(state);
  trainer.optimizer.steps = step;
  let saved = step;
  const logged = run.trimLog(step);
  let last = logged?.loss ?? NaN;
  let smoothed = logged?.smoothed ?? last;
  const save = (): void => {
    const path = run.saveCheckpoint(step, loop.write);
    run.saveState(step, state);
    saved = step;
    report({ type: 'checkpoint', step, path });
  };

  const measure = async (): Promise<void> => {
    if (loop.measure && settings.steps >= worthMeasuring)
      report({ type: 'measured', step, loss: await loop.measure() });
  };

  const draw = async (): Promise<void> =>
    report({ type: 'sample', step, path: await loop.draw(run.samplePath(step)) });
  const isSampled = (): boolean => !!settings.sampleEvery && step % settings.sampleEvery === 0;

  try {
    if (step === 0) await measure();
    // A kill between a checkpoint and its sample.
    else if (isSampled() && !existsSync(run.samplePath(step))) await draw();
    while (step < settings.steps) {
      signal.throwIfAborted();
      const started = performance.now();
      const batches = Array.from({ length: settings.accumulate }, (_, i) =>
        loop.batch(step * settings.accumulate + i),
      );
      const result = await trainer.step(batches, {
        learningRate: settings.learningRate * learningRateFactor(step, settings),
        maxGradientNorm: settings.maxGradientNorm,
      });
      if (!Number.isFinite(result.loss + result.gradientNorm)) {
        loop.blame();
        throw problem('training.diverged', { step: step + 1 });
      }
      step++;
      await loop.onStep?.(step);
      last = result.loss;
      smoothed = step === 1 ? last : smoothed + (last - smoothed) / Math.min(step, smoothing);
      const seconds = (performance.now() - started) / 1000;
      const event = { type: 'step', step, loss: last, smoothed, ...result.metrics, seconds } as const;
      run.log(event);
      report(event);
      report({ type: 'progress', done: step, total: settings.steps, label: 'steps' });
      if (step % settings.checkpointEvery === 0 || step === settings.steps) save();
      if (isSampled()) await draw();
      if (step === settings.steps) await measure();
    }
  } catch (error) {
    // After Ctrl-C, what was learnt since the last checkpoint is kept; after a fault the values may be half a step's.
    if (signal.aborted && step > saved) save();
    throw error;
  }
  return { steps: step, loss: last, checkpoint: run.checkpointPath(step) };
}
