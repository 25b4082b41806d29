import { setImmediate } from 'node:timers/promises';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { matmulSpeed } from '../../engine/runtime/matmulSpeed.ts';
import { peakMemory } from '../../engine/runtime/peakMemory.ts';
import { usableCache } from '../../engine/checkpoints/usableCache.ts';
import { cacheFolder } from '../../places.ts';
import { randomModel } from './randomModel.ts';
import type { BenchPart, BenchRequest } from './request.ts';
import { shapeConfigs } from './shapes.ts';
import { distillationStep, forwardCall, trainingStep, type Workload } from './workloads.ts';

export interface BenchResult {
  readonly part: BenchPart;
  /** Of each measured call. */
  readonly seconds: readonly number[];
  readonly best: number;
  /** The most memory the process had resident, weights that the system maps from their file included. */
  readonly peakBytes: number;
  /** Operations of one call: see `Workload`. */
  readonly gflop: number;
  /** `gflop` over the best time. */
  readonly gflops: number;
  /** What a bare matrix product reaches in this process: a measure of the machine. */
  readonly matmulGflops: number;
}

/**
 * Measures a U-Net call or a training step, after one that warms up. For a true peak of memory the process must be a fresh one.
 * Errors: those of `openModel`, `file.unwritable`, `provider.missing`, `training.diverged`.
 */
export async function bench(request: BenchRequest, { report, signal }: JobContext): Promise<BenchResult> {
  const { part, repeat, threads } = request;
  const work = await workOf(request, report);
  const seconds: number[] = [];
  try {
    await work.run();
    report({ type: 'progress', done: 0, total: repeat, label: 'calls' });
    for (let call = 1; call <= repeat; call++) {
      await setImmediate();
      signal.throwIfAborted();
      const started = performance.now();
      const loss = await work.run();
      const time = (performance.now() - started) / 1000;
      seconds.push(time);
      if (loss !== undefined) report({ type: 'step', step: call, loss, seconds: time });
      report({ type: 'progress', done: call, total: repeat, label: 'calls' });
    }
  } finally {
    await work.dispose();
  }
  const peakBytes = peakMemory();
  const best = Math.min(...seconds);
  const { gflop } = work;
  const matmulGflops = await matmulSpeed(threads);
  return { part, seconds, best, peakBytes, gflop, gflops: gflop / best, matmulGflops };
}

function workOf(request: BenchRequest, report: JobContext['report']): Workload | Promise<Workload> {
  const { part, source } = request;
  const model = modelOf(source, report);
  if (part === 'forward') return forwardCall(model, request);
  if (part !== 'distill') return trainingStep(model, { ...request, part });
  const shape = model.unet.config.cross_attention_dim[0] === 768 ? 'sd1' : 'sd2';
  const teacher = modelOf(request.teacher === undefined ? { shape } : { model: request.teacher }, report);
  return distillationStep(teacher, model, request);
}

function modelOf(source: BenchRequest['source'], report: JobContext['report']): Model {
  if ('model' in source) return openModel(source.model);
  return randomModel(
    source.shape,
    shapeConfigs[source.shape],
    usableCache(cacheFolder()),
    (file, parameters) => {
      const gigabytes = ((parameters * 4) / 1e9).toFixed(1);
      report({ type: 'note', message: `Writing random weights, once: ${gigabytes} GB in ${file}` });
    },
  );
}
