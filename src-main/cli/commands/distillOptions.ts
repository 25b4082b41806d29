import { problem } from '../../../src-shared/messages/index.ts';
import {
  distillDefaults as defaults,
  usualEma,
  type DistillRequest,
} from '../../features/distillation/request.ts';
import { choice, file, flag, integer, number, pictureSize, required, text, type Given } from '../options.ts';
import { teamOf, teamOptions } from '../teamOptions.ts';
import { defined, provider, refuseTogether } from '../shared.ts';

const most = 1e9;
const lambda = (what: string, fallback: number) =>
  number('X', `weight of ${what}`, { min: 0, max: 1e6, fallback });
const decay = (what: string, fallback: number) => number('X', what, { min: 0, max: 0.999_999_9, fallback });

export const distillOptions = {
  teacher: file('DIR', 'diffusers folder or single file to learn from'),
  student: file('DIR', 'the model that learns, as compress makes it'),
  out: required(file('RUN', 'the folder of the run')),
  data: file(
    'DIR',
    'pictures with a metadata.csv (file_name,text) or with a .txt beside each; a WebDataset .tar or a folder of them',
  ),
  replay: file('FILE', 'train on recorded batches (safetensors), without pictures'),
  steps: integer('N', 'optimizer steps', { min: 1, max: 10_000_000, fallback: defaults.steps }),
  lambdaSd: lambda('the loss on the noise', defaults.lambdaSd),
  lambdaOutput: lambda("the loss on the teacher's output", defaults.lambdaOutput),
  lambdaFeature: lambda("the loss on the outputs of the teacher's blocks", defaults.lambdaFeature),
  lr: number('X', 'learning rate', { min: 0, max: 1, fallback: defaults.learningRate }),
  batch: integer('N', 'pictures a batch', { min: 1, max: 1024, fallback: defaults.batch }),
  accumulate: integer('N', 'batches a step', { min: 1, max: 4096, fallback: 'one a worker' }),
  lrSchedule: choice(
    ['constant', 'constant_with_warmup', 'linear', 'cosine'],
    'how the rate goes over the run',
    {
      fallback: defaults.schedule,
    },
  ),
  warmup: integer('N', 'steps over which the rate rises from 0', {
    min: 0,
    max: most,
    fallback: defaults.warmup,
  }),
  ema: flag('checkpoints hold a moving average of the weights'),
  emaDecay: decay('its decay', usualEma),
  beta1: decay("AdamW's decay of the first moment", defaults.beta1),
  beta2: decay("AdamW's decay of the second moment", defaults.beta2),
  eps: number('X', "AdamW's epsilon", { min: 1e-30, max: 1, fallback: defaults.epsilon }),
  weightDecay: number('X', "AdamW's weight decay", { min: 0, max: 1, fallback: defaults.weightDecay }),
  maxGradNorm: number('X', 'gradients are scaled down to this norm', {
    min: 1e-12,
    max: most,
    fallback: defaults.maxGradientNorm,
  }),
  seed: integer('N', 'of everything drawn at random', {
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    fallback: defaults.seed,
  }),
  size: pictureSize('side of the square pictures in pixels', { fallback: "the student's" }),
  flip: flag('half of the pictures are mirrored', defaults.flip),
  checkpointEvery: integer('N', 'steps between checkpoints', { min: 1, max: most, fallback: 'at most 500' }),
  sampleEvery: integer('N', 'steps between validation pictures', {
    min: 1,
    max: most,
    fallback: 'at most 500',
  }),
  samplePrompt: text('TEXT', 'prompt of the validation pictures', { fallback: `"${defaults.samplePrompt}"` }),
  ...teamOptions,
  resume: flag('go on with RUN after an interruption'),
  provider: provider(defaults.provider),
};

/** What was said, as the distillation feature takes it. Throws `usage.…` for options that do not go together. */
export function distillRequest(given: Given<typeof distillOptions>): DistillRequest {
  const { out, resume = false, teacher, student, data, replay } = given;
  if (!resume) {
    const missing = [
      ['--teacher', teacher],
      ['--student', student],
      ['--data', data ?? replay],
    ].find(([, value]) => value === undefined);
    if (missing?.[0] !== undefined)
      throw problem('usage.missingOption', { option: missing[0], command: 'distill' });
  }
  if (replay !== undefined)
    refuseTogether('--replay', { '--data': data }, 'recorded batches take the place of pictures');
  const side = given.size?.width;
  if (side !== given.size?.height)
    throw problem('usage.badValue', {
      option: '--size',
      value: `${given.size?.width}x${given.size?.height}`,
      expected: 'a square: training pictures are as wide as high',
    });
  const averaged = given.ema ?? given.emaDecay !== undefined;
  return {
    ...{ out, resume, team: teamOf(given) },
    settings: defined({
      ...{ teacher, student, data, replay },
      steps: given.steps,
      lambdaSd: given.lambdaSd,
      lambdaOutput: given.lambdaOutput,
      lambdaFeature: given.lambdaFeature,
      learningRate: given.lr,
      batch: given.batch,
      accumulate: given.accumulate,
      schedule: given.lrSchedule,
      warmup: given.warmup,
      ema: averaged ? (given.emaDecay ?? usualEma) : undefined,
      beta1: given.beta1,
      beta2: given.beta2,
      epsilon: given.eps,
      weightDecay: given.weightDecay,
      maxGradientNorm: given.maxGradNorm,
      seed: given.seed,
      size: side,
      flip: given.flip,
      checkpointEvery: given.checkpointEvery,
      sampleEvery: given.sampleEvery,
      samplePrompt: given.samplePrompt,
      provider: given.provider,
    }),
  };
}
