import { existsSync } from 'node:fs';
import type { LoopSettings } from '../../../../src-shared/domain/loopSettings.ts';
import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import { learningRateFactor } from '../../optim/learningRate.ts';
import type { Feeds } from '../loss/gradients.ts';
import { isMeasuredRun, isSampled, sampleCount } from './plan.ts';
import type { RunFolder } from './runFolder.ts';
import { StepsLost, type Trainer } from './trainer.ts';

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
  /** The loss of the present weights on batches that stay the same. */
  readonly measure?: () => Promise<number>;
  /** Writes a checkpoint's files into a folder. */
  readonly write: (folder: string) => void;
  /** Draws a sample picture; `onStep` tells how far it is. */
  readonly draw: (path: string, onStep: (done: number, total: number) => void) => Promise<string>;
  /** Throws where the weights that the run started from explain a loss that is NaN. */
  readonly blame: () => void;
}

export interface RunResult {
  readonly steps: number;
  /** Loss of the last step. */
  readonly loss: number;
  /** Folder of the last checkpoint. */
  readonly checkpoint: string;
}

/** Steps that the smoothed loss averages over. */
const smoothing = 20;

/**
 * Takes a run from where its folder says it is to its last step. Every step is a function of the settings and the step's number,
 * so a run that was interrupted anywhere ends in the same bits. Errors: `run.stateDamaged`, `training.diverged`,
 * `file.unwritable`; the signal's reason when it aborts.
 */
export async function trainingLoop(loop: Loop, { report, signal }: JobContext): Promise<RunResult> {
  const { run, trainer, settings } = loop;
  const state = { values: trainer.values, ...trainer.state, ...loop.arrays };
  let step = run.restoreState(state);
  trainer.optimizer.steps = step;
  let saved = step;
  let [last, smoothed] = [NaN, NaN];
  const readLog = (): void => {
    const logged = run.trimLog(step);
    last = logged?.loss ?? NaN;
    smoothed = logged?.smoothed ?? last;
  };
  readLog();
  const progress = (label: string, done: number, total: number): void =>
    report({ type: 'progress', done, total, label });
  const checkpoints = Math.ceil(settings.steps / settings.checkpointEvery);
  const save = async (): Promise<void> => {
    await trainer.sync();
    const before = Math.ceil(step / settings.checkpointEvery) - 1;
    progress('checkpoints', before, checkpoints);
    const path = run.saveCheckpoint(step, loop.write);
    run.saveState(step, state);
    saved = step;
    report({ type: 'checkpoint', step, path });
    progress('checkpoints', before + 1, checkpoints);
  };

  const measure = async (): Promise<void> => {
    if (!loop.measure || !isMeasuredRun(settings)) return;
    const before = step === 0 ? 0 : 1;
    progress('measuring', before, 2);
    const loss = await loop.measure().catch(lostSteps);
    // No step is lost here: the weights that are measured are the start's, or were just saved.
    report({ type: 'measured', step, loss: typeof loss === 'number' ? loss : await loop.measure() });
    progress('measuring', before + 1, 2);
  };

  const samples = sampleCount(settings);
  const draw = async (): Promise<void> => {
    await trainer.sync();
    await trainer.rest();
    const before = step === settings.steps ? samples - 1 : step / (settings.sampleEvery ?? 1);
    progress('samples', before, samples);
    const path = await loop.draw(run.samplePath(step), (done, total) =>
      progress('samples', before + Math.round((900 * done) / total) / 1000, samples),
    );
    report({ type: 'sample', step, path });
    progress('samples', before + 1, samples);
  };

  try {
    if (step === 0) await measure();
    // The first sample shows where the run begins; a later one is missing if the run was killed between a checkpoint and its
    // sample.
    if (isSampled(step, settings) && !existsSync(run.samplePath(step))) await draw();
    progress('steps', step, settings.steps);
    while (step < settings.steps) {
      signal.throwIfAborted();
      const started = performance.now();
      const batches = Array.from({ length: settings.accumulate }, (_, i) =>
        loop.batch(step * settings.accumulate + i),
      );
      const facts = {
        learningRate: settings.learningRate * learningRateFactor(step, settings),
        maxGradientNorm: settings.maxGradientNorm,
      };
      const result = await trainer.step(batches, facts).catch(lostSteps);
      if (result instanceof StepsLost) {
        step = result.step;
        readLog();
        continue;
      }
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
      progress('steps', step, settings.steps);
      if (step % settings.checkpointEvery === 0 || step === settings.steps) await save();
      if (isSampled(step, settings)) await draw();
      if (step === settings.steps) await measure();
    }
  } catch (error) {
    // After Ctrl-C, what was learnt since the last checkpoint is kept; after an error, the values may be those of half a step.
    if (signal.aborted && step > saved) await save();
    throw error;
  }
  return { steps: step, loss: last, checkpoint: run.checkpointPath(step) };
}

/** Steps that a failed device lost are taken again; any other error is thrown on. */
function lostSteps(error: unknown): StepsLost {
  if (error instanceof StepsLost) return error;
  throw error;
}
