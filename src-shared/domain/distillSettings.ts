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
import {
  choice,
  names,
  number,
  optional,
  orNone,
  part,
  path,
  text,
  toggle,
  whole,
  type Asked,
  type Values,
} from './settingSchema.ts';

/** Decay of the moving average if only `--ema` is given: diffusers' default. */
export const usualEma = 0.9999;

/** What diffusers' script trains: all of the U-Net's Linears and Convs but the first and the last. */
const consistencyTargets = [
  ...['to_q', 'to_k', 'to_v', 'to_out.0', 'proj_in', 'proj_out', 'net.0.proj', 'net.2'],
  ...['conv1', 'conv2', 'conv_shortcut', 'downsamplers.0.conv', 'upsamplers.0.conv', 'time_emb_proj'],
];

const atMost500 = fourTimes('at most 500', 500);

/** Every setting of a distillation, in the order of `likeness distill --help`; defaults are BK-SDM's recipe. Paths are absolute. */
export const distillSettings = {
  teacher: path('diffusers folder or single file to learn from', { as: 'DIR', change: 'anytime' }),
  student: path('the model that learns, as compress makes it', {
    as: 'DIR',
    otherwise: 'with --lcm: the teacher itself',
    change: 'anytime',
  }),
  /** LCM-LoRA (Luo et al. 2023); the defaults are those of diffusers' `train_lcm_distill_lora_sd_wds.py`. */
  lcm: toggle('train a LoRA with which the teacher draws in 4 to 8 steps', { default: false, before: false }),
  data: optional(
    path(
      'pictures with a metadata.csv or .jsonl (file_name, text) or with a .txt beside each; a WebDataset .tar or a folder of them',
      { as: 'DIR', change: 'moved' },
    ),
  ),
  replay: optional(
    path('train on recorded batches (safetensors), without pictures', { as: 'FILE', change: 'moved' }),
  ),

  steps: {
    ...lengthSettings.steps,
    default: {
      text: '50000; 1000 with --lcm',
      from: ({ lcm }: Readonly<Record<string, unknown>>) => (lcm === true ? 1000 : 50_000),
    },
  },
  checkpointEvery: { ...lengthSettings.checkpointEvery, default: atMost500 },
  sampleEvery: { ...lengthSettings.sampleEvery, default: unlessReplayed(atMost500) },
  samplePrompt: text('prompt of the sample pictures', {
    default: 'a golden vase with different flowers',
    change: 'anytime',
  }),

  // Weights of the three losses (Kim et al. 2023, BK-SDM, equation 4).
  lambdaSd: number('weight of the loss on the noise', [0, 1e6], { default: 1 }),
  lambdaOutput: number("weight of the loss on the teacher's output", [0, 1e6], { default: 1 }),
  lambdaFeature: number("weight of the loss on the outputs of the teacher's blocks", [0, 1e6], {
    default: 1,
  }),

  solverSteps: whole("steps of the teacher's sampler that are learnt to be skipped", [2, 1000], {
    default: 50,
    before: 50,
    when: { lcm: true },
  }),
  leastGuidance: number('guidance of the teacher, at least (a scale whose 0 is none)', [0, 1000], {
    option: 'w-min',
    default: 5,
    before: 5,
    when: { lcm: true },
  }),
  mostGuidance: number('at most', [0, 1000], {
    option: 'w-max',
    default: 15,
    before: 15,
    when: { lcm: true },
  }),
  timestepScaling: number('how soon x0 takes the place of the noisy picture', [0.01, 1000], {
    default: 10,
    before: 10,
    when: { lcm: true },
  }),
  errors: choice(['l2', 'huber'], 'squared errors, or pseudo-Huber, which large ones count less in', {
    default: 'l2',
    before: 'l2',
    when: { lcm: true },
  }),
  lora: part(
    {
      rank: whole('rank of the LoRA', [1, 1024], { default: 64, before: 64 }),
      alpha: number('its scale, times its rank', [0, 1e6], { default: 64, before: 64 }),
      targets: names('its modules', { default: consistencyTargets, before: consistencyTargets }),
    },
    { when: { lcm: true } },
  ),
  initLora: optional(
    path('PEFT folder whose matrices are the start', {
      as: 'DIR',
      otherwise: 'A Kaiming-uniform, B zero',
      when: { lcm: true },
      change: 'moved',
    }),
  ),

  ...learningSettings,
  learningRate: {
    ...learningSettings.learningRate,
    default: unlessProdigy('5e-5; 1e-4 with --lcm', ({ lcm }) => (lcm === true ? 1e-4 : 5e-5)),
  },
  // The recipe's 64×4 is for a large GPU.
  batch: { ...learningSettings.batch, help: 'pictures per batch', default: 4 },
  accumulate: { ...learningSettings.accumulate, otherwise: 'one a worker' },
  /** Decay of a moving average of the weights, which checkpoints then hold. */
  ema: orNone(
    number('decay of the moving average', [0, 0.999_999_9], {
      option: 'ema-decay',
      otherwise: String(usualEma),
    }),
  ),
  ...optimizerSettings,

  seed: pictureSettings.seed,
  size: { ...pictureSettings.size, otherwise: "the student's" },
  flip: toggle('do not mirror half of the pictures', { default: true }),
  ...machineSettings,
} as const;

export type DistillSettings = Readonly<Values<typeof distillSettings>>;
/** The settings that a person gave for a distillation. */
export type AskedDistill = Asked<typeof distillSettings>;
