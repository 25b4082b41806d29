import { precisions } from './precision.ts';
import { providerChoices } from './providers.ts';
import { choice, number, orNone, side, whole, type Derived, type Values } from './settingSchema.ts';

/** Learning-rate schedules, by diffusers' names (`get_scheduler`). */
const learningRateSchedules = ['constant', 'constant_with_warmup', 'linear', 'cosine'] as const;
export type LearningRateSchedule = (typeof learningRateSchedules)[number];

export const maxSteps = 10_000_000;

/** Four times in a run, or every `most` steps if that is more often. */
export function fourTimes(text: string, most = Infinity): Derived<number> {
  return { text, from: ({ steps }) => Math.min(most, Math.max(1, Math.ceil(Number(steps) / 4))) };
}

/** The same, but never in a run on recorded batches, which have no prompt. */
export function unlessReplayed({ text, from }: Derived<number>): Derived<number | null> {
  return { text, from: (settings) => (settings['replay'] === undefined ? from(settings) : null) };
}

const quarter = fourTimes('a quarter of the run');

/** The length of a run, its checkpoints and samples. */
export const lengthSettings = {
  steps: whole({
    help: 'optimizer steps',
    min: 1,
    max: maxSteps,
    default: 800,
    group: 'length',
    change: 'anytime',
  }),
  checkpointEvery: whole({
    help: 'steps between checkpoints',
    min: 1,
    max: maxSteps,
    default: quarter,
    group: 'length',
    change: 'anytime',
  }),
  sampleEvery: orNone(
    whole({
      help: 'steps between sample pictures',
      min: 1,
      max: maxSteps,
      group: 'length',
      change: 'anytime',
    }),
    unlessReplayed(quarter),
  ),
} as const;

/** How a step learns. */
export const learningSettings = {
  learningRate: number({
    help: 'learning rate',
    option: 'lr',
    min: 0,
    max: 1,
    group: 'learning',
    meantFor: ['optimizer'],
  }),
  schedule: choice(learningRateSchedules, {
    help: 'course of the learning rate over the run',
    option: 'lr-schedule',
    default: 'constant',
    group: 'learning',
  }),
  warmup: whole({
    help: 'steps over which the rate rises from 0',
    min: 0,
    max: maxSteps,
    default: 0,
    group: 'learning',
    advanced: true,
  }),
  batch: whole({ help: 'photos per batch', min: 1, max: 1024, default: 1, group: 'learning' }),
  accumulate: whole({
    help: 'batches per step',
    min: 1,
    max: 4096,
    default: 1,
    group: 'learning',
    advanced: true,
  }),
} as const;

/** A default learning rate; with Prodigy it is 1, a factor on the rate that Prodigy finds. */
export function unlessProdigy(text: string, from: Derived<number>['from']): Derived<number> {
  return {
    text: `${text}; 1 with prodigy`,
    from: (settings) => (settings['optimizer'] === 'prodigy' ? 1 : from(settings)),
  };
}

/** AdamW (Loshchilov & Hutter 2019) with torch's defaults, and the optimizers that can replace it. */
export const optimizerSettings = {
  optimizer: choice(['adamw', 'adamw8bit', 'adafactor', 'prodigy'], {
    help: 'optimizer; adamw8bit and adafactor need less memory, prodigy finds the learning rate itself',
    default: 'adamw',
    before: 'adamw',
    group: 'optimizer',
  }),
  stepScale: number({
    help: "scales prodigy's step size: 0.5 learns less, 2 more",
    option: 'd-coef',
    min: 0.01,
    max: 100,
    default: 1,
    before: 1,
    group: 'optimizer',
    when: { optimizer: 'prodigy' },
  }),
  beta1: number({
    help: 'decay of the first moment',
    min: 0,
    max: 0.999_999_9,
    default: 0.9,
    group: 'optimizer',
    when: { optimizer: ['adamw', 'adamw8bit', 'prodigy'] },
    advanced: true,
  }),
  beta2: number({
    help: 'decay of the second moment',
    min: 0,
    max: 0.999_999_9,
    default: 0.999,
    group: 'optimizer',
    when: { optimizer: ['adamw', 'adamw8bit', 'prodigy'] },
    advanced: true,
  }),
  epsilon: number({
    help: 'keeps updates finite where gradients are tiny',
    option: 'eps',
    min: 1e-30,
    max: 1,
    default: 1e-8,
    group: 'optimizer',
    when: { optimizer: ['adamw', 'adamw8bit', 'prodigy'] },
    advanced: true,
  }),
  weightDecay: number({
    help: 'weight decay, beside the gradients',
    min: 0,
    max: 1,
    default: 1e-2,
    group: 'optimizer',
    advanced: true,
  }),
  maxGradientNorm: number({
    help: 'gradients are scaled down to this norm',
    option: 'max-grad-norm',
    min: 1e-12,
    max: 1e9,
    default: 1,
    group: 'optimizer',
    advanced: true,
  }),
  /** Of products, activations and frozen weights; what is trained is f32. */
  precision: choice(precisions, {
    help: 'number type of the networks; f16 halves the memory on graphics devices that support it',
    default: 'f32',
    before: 'f32',
    group: 'optimizer',
    advanced: true,
  }),
} as const;

export const pictureSettings = {
  size: side({
    help: 'side of the square training pictures in pixels',
    otherwise: "the model's",
    min: 8,
    max: 4096,
    group: 'pictures',
  }),
  seed: whole({
    help: 'seed of all random numbers',
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    default: 1234,
    group: 'pictures',
  }),
} as const;

/** Choices that belong to the machine, not to the run. */
export const machineSettings = {
  provider: choice(providerChoices, {
    help: 'what to compute with; auto takes the fastest that works here',
    default: 'auto',
    change: 'anytime',
  }),
} as const;

export type OptimizerSettings = Readonly<
  Pick<
    Values<typeof optimizerSettings>,
    'optimizer' | 'stepScale' | 'beta1' | 'beta2' | 'epsilon' | 'weightDecay'
  >
>;

/** The settings that every training loop needs. */
export type LoopSettings = Readonly<
  Values<typeof lengthSettings> & Values<typeof learningSettings> & Values<typeof optimizerSettings>
>;
