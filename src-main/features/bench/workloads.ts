import type { FinetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import type { Precision } from '../../../src-shared/domain/precision.ts';
import type { OptimizerSettings } from '../../../src-shared/domain/loopSettings.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { backward } from '../../engine/autodiff/backward.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { input } from '../../engine/graph/build.ts';
import { leaves, type Graph } from '../../engine/graph/graph.ts';
import type { Value } from '../../engine/graph/ops.ts';
import { sizeInputs } from '../../engine/models/config.ts';
import { countMacs } from '../../engine/models/cost.ts';
import { contextWidth } from '../../engine/models/textEncoders.ts';
import { unet } from '../../engine/models/unet.ts';
import { Scope } from '../../engine/nn/scope.ts';
import { Networks } from '../../engine/pipelines/networks.ts';
import { partNames, storedWeights } from '../../engine/pipelines/weights.ts';
import { noiseSchedule } from '../../engine/schedulers/noiseSchedule.ts';
import { TorchGenerator } from '../../engine/tensor/random.ts';
import { f32, i64, type HostTensor, type Shape } from '../../engine/tensor/tensor.ts';
import { solverTimesteps } from '../../engine/schedulers/lcm.ts';
import {
  consistencyFeeds,
  consistencyLora,
  consistencyObjective,
} from '../../engine/training/loss/consistencyLoss.ts';
import { distillObjective, distillFeeds } from '../../engine/training/loss/distillLoss.ts';
import type { DiffusionBatch } from '../../engine/training/data/batch.ts';
import { diffusionFeeds, diffusionLoss } from '../../engine/training/loss/diffusionLoss.ts';
import { wholeNetworks, whatToTrain } from '../../engine/training/loss/parameters.ts';
import type { Feeds } from '../../engine/training/loss/gradients.ts';
import { Trainer, type TrainerOptions } from '../../engine/training/run/trainer.ts';
import type { BenchRequest } from './request.ts';

/** Something to measure; all that a call needs is prepared before. */
export interface Workload {
  /** Of one call: products of layers and attention, at two operations for each multiply–accumulate; without elementwise work. */
  readonly gflop: number;
  /** One call; a training step returns its loss. */
  readonly run: () => Promise<number | undefined>;
  readonly dispose: () => Promise<void>;
}

type Size = Pick<BenchRequest, 'batch' | 'latents' | 'provider'> & {
  readonly threads?: number | undefined;
};

/** One U-Net call, as a sampler makes it. */
export function forwardCall(
  model: Model,
  { batch, latents, threads, provider, precision = 'f32' }: Size & { readonly precision?: Precision },
): Workload {
  const { unet: part, textEncoder } = model;
  const generator = new TorchGenerator(0);
  const feeds = {
    sample: normal(generator, [batch, part.config.in_channels, latents, latents]),
    timesteps: { dtype: 'f32', shape: [batch], data: new Float32Array(batch).fill(500) },
    context: normal(generator, [
      batch,
      textEncoder.config.max_position_embeddings,
      textEncoder.config.hidden_size,
    ]),
  } as const;
  const networks = new Networks(model, { provider, precision, ...(threads && { threads }) });
  return {
    gflop: forwardOperations(model, { latents: feeds.sample.shape, context: feeds.context.shape }),
    run: async () => {
      await networks.predict(feeds.sample, feeds.timesteps, feeds);
      return undefined;
    },
    dispose: () => networks.release(),
  };
}

type TrainingSettings = Pick<FinetuneSettings, 'lora' | 'textLora' | 'trainTextEncoder' | 'seed'> & {
  readonly learningRate: number;
  readonly optimizer: OptimizerSettings;
};

/** diffusers' and PEFT's DreamBooth scripts, as the BK-SDM recipe calls them. */
const settings: TrainingSettings = {
  lora: { rank: 16, alpha: 27, targets: ['to_q', 'to_v'] },
  textLora: { rank: 16, alpha: 17, targets: ['q_proj', 'v_proj'] },
  trainTextEncoder: true,
  seed: 1234,
  learningRate: 1e-6,
  optimizer: { optimizer: 'adamw', stepScale: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 1e-2 },
};

/** All that a training step needs: the loss, where its parameters start, and a batch. */
export interface TrainingWork {
  readonly options: TrainerOptions;
  readonly feeds: Feeds;
}

/** DreamBooth's step with prior preservation: half the batch is the subject's, and the text encoder is trained too. */
export function trainingWork(
  model: Model,
  { batch, latents, threads, provider, part }: Size & { readonly part: 'lora' | 'full' },
): TrainingWork {
  const schedule = noiseSchedule(model.scheduler, model.path);
  const size = [model.unet.config.in_channels, latents, latents] as const;
  const trained = whatToTrain(model, { ...settings, method: part });
  const { loss, between } = diffusionLoss(model, {
    batch,
    latents: size,
    priorWeight: 1,
    ...(trained.adapters && { adapters: trained.adapters }),
  });
  const names = new Set(trained.names);
  const data = someBatch(model, batch, size, schedule.alphaBars.length);
  return {
    options: {
      ...{ loss, between },
      trained: trained.names,
      initial: trained.initial,
      weights: storedWeights({ outputs: { loss } }, model, undefined, (name) => names.has(name)),
      optimizer: settings.optimizer,
      provider,
      ...(threads && { threads }),
    },
    feeds: diffusionFeeds(data, schedule),
  };
}

/** BK-SDM's step: teacher and student see the same noised latents, prompts are encoded before. */
export function distillationWork(
  teacher: Model,
  student: Model,
  { batch, latents, threads, provider }: Size,
): TrainingWork {
  const schedule = noiseSchedule(teacher.scheduler, teacher.path);
  const size = [student.unet.config.in_channels, latents, latents] as const;
  const loss = distillObjective(teacher, student, {
    ...{ batch, latents: size, provider },
    ...{ lambdaSd: 1, lambdaOutput: 1, lambdaFeature: 1 },
    ...(threads && { threads }),
  });
  const { initial } = wholeNetworks(student, { trainTextEncoder: false });
  const { max_position_embeddings: tokens } = student.textEncoder.config;
  const { addition } = student.unet.config;
  const generator = new TorchGenerator(1);
  const data = {
    ...someBatch(student, batch, size, schedule.alphaBars.length),
    context: normal(generator, [batch, tokens, contextWidth(student)]),
    ...(addition && {
      added: {
        text_embeds: normal(generator, [batch, addition.textWidth]),
        time_ids: f32([batch, sizeInputs]),
      },
    }),
  };
  return {
    options: { ...loss, initial, optimizer: settings.optimizer },
    feeds: distillFeeds(data, schedule),
  };
}

/** A step of LCM-LoRA's distillation: a model and itself a step of its solver later, prompts are encoded before. */
export function fewStepsWork(model: Model, { batch, latents, threads, provider }: Size): TrainingWork {
  const schedule = noiseSchedule(model.scheduler, model.path);
  const size = [model.unet.config.in_channels, latents, latents] as const;
  const trained = consistencyLora(model, settings);
  const loss = consistencyObjective(model, trained, {
    ...{ batch, latents: size, errors: 'huber', provider },
    ...(threads && { threads }),
  });
  const { max_position_embeddings: tokens } = model.textEncoder.config;
  const solver = { solverSteps: 50, timestepScaling: 10 };
  const starts = solverTimesteps(solver.solverSteps, schedule.alphaBars.length);
  const generator = new TorchGenerator(1);
  const contexts = (rows: number): HostTensor<'f32'> =>
    normal(generator, [rows, tokens, contextWidth(model)]);
  const data = {
    ...someBatch(model, batch, size, schedule.alphaBars.length),
    timesteps: i64(
      [batch],
      Array.from({ length: batch }, (_, i) => starts[(17 * i + 20) % starts.length] ?? 0),
    ),
    context: contexts(batch),
    guidance: f32(
      [batch],
      Float32Array.from({ length: batch }, (_, i) => 3 + i),
    ),
  };
  return {
    options: { ...loss, initial: trained.initial, optimizer: settings.optimizer },
    feeds: consistencyFeeds(data, schedule, solver, contexts(1)),
  };
}

export async function trainingStep(
  model: Model,
  size: Size & { readonly part: 'lora' | 'full' },
): Promise<Workload> {
  return steps(trainingWork(model, size), 0);
}

export async function distillationStep(teacher: Model, student: Model, size: Size): Promise<Workload> {
  const work = distillationWork(teacher, student, size);
  const { batch, latents } = size;
  const { in_channels: channels } = student.unet.config;
  const { max_position_embeddings: tokens, hidden_size: width } = student.textEncoder.config;
  const shapes = { latents: [batch, channels, latents, latents], context: [batch, tokens, width] };
  return steps(work, forwardOperations(teacher, shapes));
}

/** Optimizer steps on one batch, again and again; `more`: operations besides the loss's own. */
async function steps({ options, feeds }: TrainingWork, more: number): Promise<Workload> {
  const gflop = more + trainingOperations(options.loss, new Set(options.trained));
  const trainer = await Trainer.create(options);
  let step = 0;
  return {
    gflop,
    run: async () => {
      step++;
      const { learningRate } = settings;
      const result = await trainer.step([feeds], { learningRate, maxGradientNorm: 1 });
      if (!Number.isFinite(result.loss + result.gradientNorm)) throw problem('training.diverged', { step });
      return result.loss;
    },
    dispose: () => trainer.dispose(),
  };
}

function someBatch(
  { textEncoder }: Model,
  rows: number,
  size: readonly [number, number, number],
  timesteps: number,
): DiffusionBatch {
  const generator = new TorchGenerator(0);
  const { max_position_embeddings: tokens, vocab_size: words } = textEncoder.config;
  return {
    latents: normal(generator, [rows, ...size]),
    noise: normal(generator, [rows, ...size]),
    timesteps: i64([rows], generator.randint(0, timesteps, [rows])),
    inputIds: i64([rows, tokens], generator.randint(0, words, [rows, tokens])),
  };
}

function normal(generator: TorchGenerator, shape: Shape): HostTensor<'f32'> {
  return { dtype: 'f32', shape, data: generator.randn(shape) };
}

/** Forward and backward. What a trainer recomputes to save memory is counted once, except attention's scores. */
function trainingOperations(loss: Value, trained: ReadonlySet<string>): number {
  const parameters = [...leaves({ outputs: { loss } }, 'parameter')].filter(([name]) => trained.has(name));
  const gradients = backward(
    loss,
    parameters.map(([, value]) => value),
  );
  return gigaOperations({ outputs: { loss, ...Object.fromEntries(gradients.entries()) } });
}

/** One call of the model's U-Net. */
function forwardOperations(
  { unet: { config } }: Model,
  { latents, context }: { readonly latents: Shape; readonly context: Shape },
): number {
  const inputs = {
    sample: input('sample', latents),
    timesteps: input('timesteps', latents.slice(0, 1)),
    context: input('context', context),
  };
  return gigaOperations({ outputs: { predicted: unet(Scope.root(partNames.unet), inputs, config).sample } });
}

function gigaOperations(graph: Graph): number {
  const { layers, attention } = countMacs(graph);
  return (2 * (layers + attention)) / 1e9;
}
