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
  steps: whole('optimizer steps', [1, maxSteps], { default: 800, group: 'length', change: 'anytime' }),
  checkpointEvery: whole('steps between checkpoints', [1, maxSteps], {
    default: quarter,
    group: 'length',
    change: 'anytime',
  }),
  sampleEvery: orNone(
    whole('steps between sample pictures', [1, maxSteps], { group: 'length', change: 'anytime' }),
    unlessReplayed(quarter),
  ),
} as const;

/** How a step learns. */
export const learningSettings = {
  learningRate: number('learning rate', [0, 1], { option: 'lr', group: 'learning', meantFor: ['optimizer'] }),
  schedule: choice(learningRateSchedules, 'course of the learning rate over the run', {
    option: 'lr-schedule',
    default: 'constant',
    group: 'learning',
  }),
  warmup: whole('steps over which the rate rises from 0', [0, maxSteps], {
    default: 0,
    group: 'learning',
    advanced: true,
  }),
  batch: whole('photos per batch', [1, 1024], { default: 1, group: 'learning' }),
  accumulate: whole('batches per step', [1, 4096], { default: 1, group: 'learning', advanced: true }),
} as const;

/** A default learning rate; with Prodigy it is 1, a factor on the rate that Prodigy finds. */
export function unlessProdigy(text: string, from: Derived<number>['from']): Derived<number> {
  return {
    text: `${text}; 1 with prodigy`,
    from: (settings) => (settings['optimizer'] === 'prodigy' ? 1 : from(settings)),
  };
}

/** All but Adafactor have Adam's two moments. */
const withMoments = { optimizer: ['adamw', 'adamw8bit', 'prodigy'] };

/** AdamW (Loshchilov & Hutter 2019) with torch's defaults, and the optimizers that can replace it. */
export const optimizerSettings = {
  optimizer: choice(
    ['adamw', 'adamw8bit', 'adafactor', 'prodigy'],
    'optimizer; adamw8bit and adafactor need less memory, prodigy finds the learning rate itself',
    { default: 'adamw', before: 'adamw', group: 'optimizer' },
  ),
  stepScale: number("scales prodigy's step size: 0.5 learns less, 2 more", [0.01, 100], {
    option: 'd-coef',
    default: 1,
    before: 1,
    group: 'optimizer',
    when: { optimizer: 'prodigy' },
  }),
  beta1: number('decay of the first moment', [0, 0.999_999_9], {
    default: 0.9,
    group: 'optimizer',
    when: withMoments,
    advanced: true,
  }),
  beta2: number('decay of the second moment', [0, 0.999_999_9], {
    default: 0.999,
    group: 'optimizer',
    when: withMoments,
    advanced: true,
  }),
  epsilon: number('keeps updates finite where gradients are tiny', [1e-30, 1], {
    option: 'eps',
    default: 1e-8,
    group: 'optimizer',
    when: withMoments,
    advanced: true,
  }),
  weightDecay: number('weight decay, beside the gradients', [0, 1], {
    default: 1e-2,
    group: 'optimizer',
    advanced: true,
  }),
  maxGradientNorm: number('gradients are scaled down to this norm', [1e-12, 1e9], {
    option: 'max-grad-norm',
    default: 1,
    group: 'optimizer',
    advanced: true,
  }),
  /** Of products, activations and frozen weights; what is trained is f32. */
  precision: choice(
    precisions,
    'number type of the networks; f16 takes less memory on graphics devices that support it',
    { default: 'f32', before: 'f32', group: 'optimizer', advanced: true },
  ),
} as const;

export const pictureSettings = {
  size: side('side of the square training pictures in pixels', [8, 4096], {
    otherwise: "the model's",
    group: 'pictures',
  }),
  seed: whole('seed of all random numbers', [0, Number.MAX_SAFE_INTEGER], {
    default: 1234,
    group: 'pictures',
  }),
} as const;

/** Choices that belong to the machine, not to the run. */
export const machineSettings = {
  provider: choice(providerChoices, 'what to compute with; auto takes the fastest that works here', {
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
