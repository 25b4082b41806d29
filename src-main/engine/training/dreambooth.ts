import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { Model } from '../checkpoints/model.ts';
import { modelHash, openModel } from '../checkpoints/openModel.ts';
import { findBadValues } from '../checkpoints/weights.ts';
import { learningRateFactor } from '../optim/learningRate.ts';
import { storedWeights } from '../pipelines/weights.ts';
import { resolveScheduler } from '../schedulers/config.ts';
import { alphasCumprod } from '../schedulers/noiseSchedule.ts';
import { batchSource } from './batches.ts';
import { diffusionFeeds, diffusionLoss } from './diffusionLoss.ts';
import { drawSample } from './samples.ts';
import { RunFolder } from './runFolder.ts';
import { checkSettings, type FinetuneSettings } from './settings.ts';
import { Trainer } from './trainer.ts';
import { whatToTrain, type Trained } from './trained.ts';
import { writeTrained } from './writeTrained.ts';

export interface FinetuneOptions {
  readonly settings: FinetuneSettings;
  /** The run's folder; a run that is there is gone on with. */
  readonly out: string;
  /** This program's version, kept with the run. */
  readonly version: string;
  /** Where class pictures are kept for the next run. */
  readonly cache: string;
}

export interface FinetuneResult {
  readonly steps: number;
  /** Loss of the last step. */
  readonly loss: number;
  /** Folder of the last checkpoint. */
  readonly checkpoint: string;
}

/**
 * DreamBooth (Ruiz et al. 2022): teaches a model one subject from a few photos, whole or by LoRA, with prior preservation.
 * Every step is a function of the settings and the step's number, so a run that was stopped anywhere goes on to the
 * same bits. Errors: `training.…`, `replay.…`, `run.…`, `lora.…`, `photos.…`, `tensor.…`, `file.unwritable`.
 */
export async function finetune(
  options: FinetuneOptions,
  { report, signal }: JobContext,
): Promise<FinetuneResult> {
  const { settings } = options;
  checkSettings(settings);
  const model = openModel(settings.model);
  const run = openRun(options, model);

  const { config: schedule } = resolveScheduler(model.scheduler, undefined, settings.model);
  const prediction = schedule.prediction_type === 'v_prediction' ? 'v_prediction' : 'epsilon';
  const alphaBars = alphasCumprod(schedule);
  // First: a target that is not there is told before pictures are read and made.
  const trained = whatToTrain(model, settings);
  const source = await batchSource(model, settings, alphaBars.length, options.cache, { report, signal });

  const loss = diffusionLoss(model, {
    batch: source.rows,
    latents: source.latents,
    prediction,
    ...(source.prior && { priorWeight: settings.prior?.weight ?? 1 }),
    ...(trained.adapters && { adapters: trained.adapters }),
  });
  const isTrained = new Set(trained.names);
  const trainer = await Trainer.create({
    loss,
    trained: trained.names,
    initial: trained.initial,
    weights: storedWeights({ outputs: { loss } }, model, undefined, (name) => isTrained.has(name)),
    optimizer: settings,
    provider: settings.provider,
  });

  const state = { values: trainer.values, ...trainer.optimizer.slots };
  let step = run.restoreState(state);
  trainer.optimizer.steps = step;
  let saved = step;
  let last = run.trimLog(step)?.loss ?? NaN;
  const save = (): void => {
    const path = saveCheckpoint(run, step, model, trained, trainer);
    run.saveState(step, state);
    saved = step;
    report({ type: 'checkpoint', step, path });
  };

  try {
    while (step < settings.steps) {
      signal.throwIfAborted();
      const started = performance.now();
      const batches = Array.from({ length: settings.accumulate }, (_, i) =>
        diffusionFeeds(source.batch(step * settings.accumulate + i), alphaBars),
      );
      const result = await trainer.step(batches, {
        learningRate: settings.learningRate * learningRateFactor(step, settings),
        maxGradientNorm: settings.maxGradientNorm,
      });
      if (!Number.isFinite(result.loss + result.gradientNorm)) {
        findBadValues(model.unet.weights);
        findBadValues(model.textEncoder.weights);
        throw problem('training.diverged', { step: step + 1 });
      }
      step++;
      last = result.loss;
      const event = {
        type: 'step',
        step,
        loss: last,
        seconds: (performance.now() - started) / 1000,
      } as const;
      run.log(event);
      report(event);
      report({ type: 'progress', done: step, total: settings.steps, label: 'steps' });
      if (step % settings.checkpointEvery === 0 || step === settings.steps) save();
      if (settings.sampleEvery && step % settings.sampleEvery === 0) {
        const path = await drawSample(run.samplePath(step), model, settings, trained, trainer, signal);
        report({ type: 'sample', step, path });
      }
    }
  } catch (error) {
    // After Ctrl-C, what was learnt since the last checkpoint is kept; after a fault the values may be half a step's.
    if (signal.aborted && step > saved) save();
    throw error;
  } finally {
    await trainer.dispose();
  }
  return { steps: step, loss: last, checkpoint: run.checkpointPath(step) };
}

function openRun({ out, settings, version }: FinetuneOptions, model: Model): RunFolder {
  const run = new RunFolder(out);
  const hash = modelHash(model);
  if (!RunFolder.exists(out)) {
    run.create({ kind: 'finetune', version, createdAt: new Date().toISOString(), modelHash: hash, settings });
  } else {
    if (run.describe().modelHash !== hash)
      throw problem('run.otherModel', { folder: out, model: settings.model });
    run.tidy();
  }
  return run;
}

function saveCheckpoint(
  run: RunFolder,
  step: number,
  model: Model,
  trained: Trained,
  trainer: Trainer,
): string {
  return run.saveCheckpoint(step, (folder) =>
    writeTrained(folder, model, trained, (name) => trainer.value(name)),
  );
}
