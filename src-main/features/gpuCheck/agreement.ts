import type { Precision } from '../../../src-shared/domain/precision.ts';
import type { Provider } from '../../../src-shared/domain/providers.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { Networks } from '../../engine/pipelines/networks.ts';
import { TorchGenerator } from '../../engine/tensor/random.ts';
import { elementCount, i64, type HostTensor, type Shape } from '../../engine/tensor/tensor.ts';
import { LocalGradients } from '../../engine/training/loss/gradients.ts';
import { Trainer } from '../../engine/training/run/trainer.ts';
import { distillationWork, fewStepsWork, trainingWork, type TrainingWork } from '../bench/workloads.ts';
import type { Tell } from './findings.ts';

/** The largest error that f32 sums in another order explain. */
const tolerance = 1e-4;
/** Gradients come from longer chains, and some providers multiply in shorter f32 (TF32) by themselves. */
const gradientTolerance = 1e-3;

export interface AgreementOptions {
  readonly provider: Provider;
  /** Side of the square latents. */
  readonly latents: number;
  readonly tell: Tell;
}

/** Calls each of a model's networks once on the device and once on the CPU, and compares. */
export async function compareNetworks(
  model: Model,
  { provider, latents, tell }: AgreementOptions,
): Promise<void> {
  const { unet, vae, textEncoder } = model;
  const { max_position_embeddings: tokens, hidden_size: width, vocab_size: words } = textEncoder.config;
  const normal = normals(0);
  const sample = normal([2, unet.config.in_channels, latents, latents]);
  const context = normal([2, tokens, width]);
  const timesteps = { dtype: 'f32', shape: [2], data: Float32Array.of(7, 981) } as const;
  const ids = i64([1, tokens], new TorchGenerator(1).randint(0, words, [1, tokens]));
  const small = normal([1, vae.config.latent_channels, latents, latents]);
  const side = latents * 2 ** (vae.config.block_out_channels.length - 1);
  const image = normal([1, vae.config.in_channels, side, side]);
  const calls: Record<string, (networks: Networks) => Promise<HostTensor>> = {
    'U-Net': (networks) => networks.predict(sample, timesteps, { context }),
    'Text encoder': async (networks) => (await networks.encodeText(ids)).context,
    'VAE decoder': (networks) => networks.decode(small),
    'VAE encoder': async (networks) => (await networks.encode(image)).mean,
  };
  for (const [what, call] of Object.entries(calls)) {
    await attempt(what, tell, async () => {
      const [found, expected] = [await calledOn(provider, model, call), await calledOn('cpu', model, call)];
      tellError(what, largestError(found.data, expected.data), tolerance, tell);
    });
  }
}

async function calledOn(
  provider: Provider,
  model: Model,
  call: (networks: Networks) => Promise<HostTensor>,
): Promise<HostTensor> {
  const networks = new Networks(model, { provider });
  try {
    return await call(networks);
  } finally {
    await networks.release();
  }
}

/** What a step trains; `teacher`: of a distillation. */
export type StepKind = 'lora' | 'full' | 'few steps' | { readonly teacher: Model };

/**
 * A student with its teacher's weights starts with 0.9 of them: a copy learns from rounding alone, and in f32 on the CPU its losses were 3%
 * others after 50 steps when its weights were 1e-6 others.
 */
const workOf = (model: Model, kind: StepKind, latents: number, provider: Provider): TrainingWork => {
  const size = { batch: 2, latents, provider };
  if (kind === 'few steps') return fewStepsWork(model, size);
  if (typeof kind === 'string') return trainingWork(model, { ...size, part: kind });
  const work = distillationWork(kind.teacher, model, size);
  if (kind.teacher.path !== model.path) return work;
  const initial = (name: string): HostTensor<'f32'> => {
    const { shape, data } = work.options.initial(name);
    return { dtype: 'f32', shape, data: data.map((x) => 0.9 * x) };
  };
  return { ...work, options: { ...work.options, initial } };
};

/** Compares the loss and all gradients of a step with the CPU's. */
export async function compareStep(
  what: string,
  model: Model,
  kind: StepKind,
  { provider, latents, tell }: AgreementOptions,
): Promise<void> {
  const compare = async (): Promise<void> => {
    const workOn = (on: Provider): TrainingWork => workOf(model, kind, latents, on);
    const [found, expected] = [await gradientsOf(workOn(provider)), await gradientsOf(workOn('cpu'))];
    const loss = Math.abs(found.loss / expected.loss - 1);
    tellError(`${what}: loss`, loss, tolerance, tell);
    tellError(`${what}: gradients`, distance(found.gradients, expected.gradients), gradientTolerance, tell);
  };
  await attempt(what, tell, compare, `${what}: gradients`);
}

/** Largest share by which the loss of a step in 16 bits may be another. */
const lossTolerance = 0.01;

/**
 * Of the rates that were tried, the highest at which the included model's distillation enlarges no rounding: on the CPU in f32, weights that begin
 * 1e-6 others end in losses 3e-6 others. At 5e-5 it is 9e-3, at 1e-4 3e-2, and a comparison says nothing.
 */
const wholeRate = 2e-5;

export interface LossesOptions extends AgreementOptions {
  readonly precision: Precision;
  readonly steps: number;
  /** Called with each of the device's losses, and the CPU's. */
  readonly each?: (step: number, found: number, expected: number) => void;
}

/** Compares the losses of steps in a precision with the CPU's in f32. */
export async function compareLosses(
  what: string,
  model: Model,
  kind: StepKind,
  { provider, latents, precision, steps, each, tell }: LossesOptions,
): Promise<void> {
  const title = `Losses of ${steps} ${what}s, ${precision}`;
  await attempt(title, tell, async () => {
    const losses = async (
      on: Provider,
      computes: Precision,
      told?: (step: number, loss: number) => void,
    ): Promise<number[]> => {
      const { options, feeds } = workOf(model, kind, latents, on);
      const trainer = await Trainer.create({ ...options, precision: computes });
      const learningRate = kind === 'lora' || kind === 'few steps' ? 1e-3 : wholeRate;
      const found: number[] = [];
      for (let step = 0; step < steps; step++) {
        const { loss } = await trainer.step([feeds], { learningRate, maxGradientNorm: 1 });
        found.push(loss);
        told?.(step, loss);
      }
      await trainer.dispose();
      return found;
    };
    const expected = await losses('cpu', 'f32');
    const found = await losses(provider, precision, (step, loss) =>
      each?.(step, loss, expected[step] ?? NaN),
    );
    const off = found.map((loss, i) => Math.abs(loss / (expected[i] as number) - 1));
    tellError(title, Math.max(...off), lossTolerance, tell);
  });
}

async function gradientsOf({
  options,
  feeds,
}: TrainingWork): Promise<{ readonly loss: number; readonly gradients: Float32Array }> {
  const source = await LocalGradients.create(options);
  try {
    const { layout } = source;
    const [values, gradients] = [layout.allocate(), layout.allocate()];
    const normal = normals(2);
    for (const name of layout.names) {
      const { data, shape } = layout.view(values, name);
      data.set(options.initial(name).data);
      // LoRA's B begins at zero, where A gets no gradient.
      if (name.includes('.lora_B.')) data.set(normal(shape).data.map((x) => 0.05 * x));
    }
    const { loss = NaN } = await source.one(feeds, values, gradients);
    return { loss, gradients };
  } finally {
    await source.dispose();
  }
}

/** A comparison that fails is a finding; the next one follows. `last`: what it tells last. */
async function attempt(what: string, tell: Tell, compare: () => Promise<void>, last = what): Promise<void> {
  if (tell.told?.has(what) || tell.told?.has(last)) return;
  try {
    await compare();
  } catch (error) {
    tell({ what, found: `failed: ${error instanceof Error ? error.message : String(error)}`, right: false });
  }
}

function tellError(what: string, error: number, most: number, tell: Tell): void {
  // Not written as >: NaN is wrong too.
  tell({ what, found: `${error.toExponential(1)} off (at most ${most})`, right: error <= most });
}

/** Largest difference, relative to the largest value. */
function largestError(found: HostTensor['data'], expected: HostTensor['data']): number {
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs(Number(found[i]) - Number(expected[i]));
    if (!(off <= difference)) difference = off;
    largest = Math.max(largest, Math.abs(Number(expected[i])));
  }
  return difference / largest;
}

/** Norm of the difference, relative to the norm. */
function distance(found: Float32Array, expected: Float32Array): number {
  let [off, whole] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    off += ((found[i] as number) - (expected[i] as number)) ** 2;
    whole += (expected[i] as number) ** 2;
  }
  return Math.sqrt(off / whole);
}

function normals(seed: number): (shape: Shape) => HostTensor<'f32'> {
  const generator = new TorchGenerator(seed);
  return (shape) => ({ dtype: 'f32', shape, data: generator.randn([elementCount(shape)]) });
}
