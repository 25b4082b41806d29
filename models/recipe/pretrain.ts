import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '../../src-main/engine/checkpoints/safetensors.ts';
import { readTensor } from '../../src-main/engine/checkpoints/weights.ts';
import { writeSafetensors } from '../../src-main/engine/checkpoints/writeSafetensors.ts';
import { movingAverage } from '../../src-main/engine/optim/optimizer.ts';
import { learningRateFactor } from '../../src-main/engine/optim/learningRate.ts';
import { Trainer, type TrainerOptions } from '../../src-main/engine/training/run/trainer.ts';
import { generatorFor } from '../../src-main/engine/tensor/seeded.ts';
import type { TorchGenerator } from '../../src-main/engine/tensor/random.ts';
import { leaves } from '../../src-main/engine/graph/graph.ts';
import { elementCount, f32, type HostTensor, type Shape } from '../../src-main/engine/tensor/tensor.ts';

export interface PretrainOptions {
  /** Names the state file, in `folder`. */
  readonly stage: string;
  readonly folder: string;
  readonly loss: TrainerOptions['loss'];
  readonly metrics?: NonNullable<TrainerOptions['metrics']>;
  readonly steps: number;
  readonly learningRate: number;
  readonly warmup: number;
  readonly weightDecay: number;
  /** Decay of the moving average that is the result; the weights themselves when left out. */
  readonly averageDecay?: number;
  /** Weights that are not trained. */
  readonly frozen?: (name: string) => HostTensor<'f32'> | undefined;
  /** Start values where they are not `startValue`'s. */
  readonly initial?: (name: string, shape: Shape) => HostTensor<'f32'> | undefined;
  readonly feeds: (step: number) => Readonly<Record<string, HostTensor>>;
  /** Called now and then, and at the end, with a look-up of the result so far. */
  readonly onResult?: (step: number, value: (name: string) => HostTensor<'f32'>) => Promise<void>;
}

const minutesBetweenStates = 4;
/** Steps from one update of the moving average to the next: a pass over all weights. */
const averageEvery = 4;

/**
 * Trains all parameters of a loss from scratch: warm-up, cosine decay, moving average; goes on from the state file where there is
 * one. Returns a look-up of the result.
 */
export async function pretrain(options: PretrainOptions): Promise<(name: string) => HostTensor<'f32'>> {
  const { stage, folder, loss, steps, averageDecay, feeds } = options;
  const parameters = leaves({ outputs: { loss } }, 'parameter');
  const trainer = await Trainer.create({
    loss,
    ...(options.metrics && { metrics: options.metrics }),
    trained: [...parameters.keys()].filter((name) => !options.frozen?.(name)),
    initial: (name) => {
      const { shape } = parameters.get(name) as { shape: Shape };
      return options.initial?.(name, shape) ?? startValue(name, shape, generatorFor(1, name));
    },
    weights: (name) => options.frozen?.(name),
    optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: options.weightDecay },
  });
  const average = Float32Array.from(trainer.values);
  const updateAverage = movingAverage(average.length);
  const arrays = { values: trainer.values, average, ...trainer.optimizer.slots };
  const stateFile = join(folder, `${stage}.state.safetensors`);
  mkdirSync(folder, { recursive: true });
  let step = existsSync(stateFile) ? restore(stateFile, arrays) : 0;
  trainer.optimizer.steps = step;
  const result = (name: string): HostTensor<'f32'> =>
    trainer.layout.view(averageDecay ? average : trainer.values, name);
  console.log(`${stage}: ${trainer.layout.parameterCount} parameters, from step ${step} to ${steps}`);

  const began = performance.now();
  const first = step;
  let saved = began;
  const sums = new Map<string, number>();
  while (step < steps) {
    const factor = learningRateFactor(step, { schedule: 'cosine', warmup: options.warmup, steps });
    const outcome = await trainer.step([feeds(step)], {
      learningRate: options.learningRate * factor,
      maxGradientNorm: 1,
    });
    step++;
    if (averageDecay && step % averageEvery === 0) {
      const decay = Math.min(averageDecay, (step + 1) / (step + 10));
      await updateAverage(average, trainer.values, decay ** averageEvery);
    }
    for (const [name, value] of Object.entries({
      loss: outcome.loss,
      norm: outcome.gradientNorm,
      ...outcome.metrics,
    })) {
      sums.set(name, (sums.get(name) ?? 0) + value);
    }
    if (step % 20 === 0) {
      const perStep = (performance.now() - began) / (step - first) / 1000;
      const means = [...sums].map(([name, total]) => `${name} ${(total / 20).toFixed(4)}`).join('  ');
      console.log(
        `${stage} ${step}/${steps}  ${means}  ${perStep.toFixed(2)} s/step  ${(((steps - step) * perStep) / 60).toFixed(0)} min left`,
      );
      sums.clear();
    }
    if (performance.now() - saved > minutesBetweenStates * 60_000 || step === steps) {
      save(stateFile, step, arrays);
      await options.onResult?.(step, result);
      saved = performance.now();
    }
  }
  return result;
}

/** Last layers of residual branches: at zero, a network starts as its skip connections (Goyal et al. 2017; ADM's zero_module). */
const residualEnds = /\.(conv2|proj_out|ff\.net\.2|out_proj|fc2)\.weight$|^unet\.conv_out\.weight$/;

/**
 * Start values: weights uniform with variance 1/fan-in, so that signals keep their size along the skip connections; zero
 * biases and ends of residual branches; ones for norm scales; normal embeddings.
 */
export function startValue(name: string, shape: Shape, generator: TorchGenerator): HostTensor<'f32'> {
  const count = elementCount(shape);
  // Words must stand out in the residual stream, or attention's averages drown them.
  if (name.endsWith('token_embedding.weight'))
    return f32(
      shape,
      generator.randn([count]).map((x) => 0.5 * x),
    );
  if (name.endsWith('position_embedding.weight'))
    return f32(
      shape,
      generator.randn([count]).map((x) => 0.02 * x),
    );
  if (name.endsWith('bias') || residualEnds.test(name)) return f32(shape);
  if (shape.length === 1) return f32(shape, new Float32Array(count).fill(1));
  const bound = Math.sqrt((3 * (shape[0] as number)) / count);
  return f32(
    shape,
    generator.rand([count]).map((x) => (2 * x - 1) * bound),
  );
}

function save(file: string, step: number, arrays: Readonly<Record<string, Float32Array>>): void {
  const tensors = Object.entries(arrays).map(([name, data]) => ({
    name,
    tensor: { dtype: 'f32' as const, shape: [data.length], data },
  }));
  writeSafetensors(file, tensors, { step: String(step) });
}

function restore(file: string, arrays: Readonly<Record<string, Float32Array>>): number {
  const { tensors, metadata } = readSafetensors(file);
  for (const [name, array] of Object.entries(arrays)) {
    const entry = tensors.get(name);
    if (entry?.shape[0] !== array.length)
      throw new Error(`${file} is of another network; remove it to start anew`);
    array.set(readTensor(entry).data as Float32Array);
  }
  return Number(metadata['step']);
}
