import {
  fourTimes,
  learningSettings,
  lengthSettings,
  machineSettings,
  optimizerSettings,
  pictureSettings,
  unlessProdigy,
  unlessReplayed,
} from './loopSettings.ts';
import { number, optional, orNone, path, text, toggle, type Asked, type Values } from './settingSchema.ts';

/** Decay of the moving average if only `--ema` is given: diffusers' default. */
export const usualEma = 0.9999;

const atMost500 = fourTimes('at most 500', 500);

/** Every setting of a distillation, in the order of `likeness distill --help`; defaults are BK-SDM's recipe. Paths are absolute. */
export const distillSettings = {
  teacher: path({ help: 'diffusers folder or single file to learn from', as: 'DIR', change: 'anytime' }),
  student: path({ help: 'the model that learns, as compress makes it', as: 'DIR', change: 'anytime' }),
  data: optional(
    path({
      help: 'pictures with a metadata.csv (file_name,text) or with a .txt beside each; a WebDataset .tar or a folder of them',
      as: 'DIR',
      change: 'moved',
    }),
  ),
  replay: optional(
    path({ help: 'train on recorded batches (safetensors), without pictures', as: 'FILE', change: 'moved' }),
  ),

  steps: { ...lengthSettings.steps, default: 50_000 },
  checkpointEvery: { ...lengthSettings.checkpointEvery, default: atMost500 },
  sampleEvery: { ...lengthSettings.sampleEvery, default: unlessReplayed(atMost500) },
  samplePrompt: text({
    help: 'prompt of the sample pictures',
    default: 'a golden vase with different flowers',
    change: 'anytime',
  }),

  // Weights of the three losses (Kim et al. 2023, BK-SDM, equation 4).
  lambdaSd: number({ help: 'weight of the loss on the noise', min: 0, max: 1e6, default: 1 }),
  lambdaOutput: number({ help: "weight of the loss on the teacher's output", min: 0, max: 1e6, default: 1 }),
  lambdaFeature: number({
    help: "weight of the loss on the outputs of the teacher's blocks",
    min: 0,
    max: 1e6,
    default: 1,
  }),

  ...learningSettings,
  learningRate: { ...learningSettings.learningRate, default: unlessProdigy('5e-5', () => 5e-5) },
  // The recipe's 64×4 is for a large GPU.
  batch: { ...learningSettings.batch, help: 'pictures per batch', default: 4 },
  accumulate: { ...learningSettings.accumulate, otherwise: 'one a worker' },
  /** Decay of a moving average of the weights, which checkpoints then hold. */
  ema: orNone(
    number({
      help: 'decay of the moving average',
      option: 'ema-decay',
      otherwise: String(usualEma),
      min: 0,
      max: 0.999_999_9,
    }),
    null,
  ),
  ...optimizerSettings,

  seed: pictureSettings.seed,
  size: { ...pictureSettings.size, otherwise: "the student's" },
  flip: toggle({ help: 'do not mirror half of the pictures', default: true }),
  ...machineSettings,
} as const;

export type DistillSettings = Readonly<Values<typeof distillSettings>>;
/** The settings that a person gave for a distillation. */
export type AskedDistill = Asked<typeof distillSettings>;
