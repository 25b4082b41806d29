import {
  finetuneDefaults as defaults,
  learningRateDefaults,
  type FinetuneRequest,
  type PartialSettings,
} from '../../features/training/request.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import {
  choice,
  file,
  flag,
  integer,
  names,
  number,
  pictureSize,
  required,
  text,
  word,
  type Given,
  type PictureSize,
} from '../options.ts';
import { shippedModel } from '../../shipped.ts';
import { teamOf, teamOptions } from '../teamOptions.ts';
import { defined, provider, refuseTogether } from '../shared.ts';

const { lora, textLora, prior } = defaults;
const most = 1e9;

export const finetuneOptions = {
  photos: file('DIR', 'a folder with photos of the subject'),
  class: word('NOUN', 'what the subject is: dog, mug, backpack'),
  out: required(file('RUN', 'the folder of the run')),
  model: file('PATH', 'diffusers folder or single file to start from', { fallback: 'the shipped model' }),
  token: word('WORD', 'stands for the subject in prompts: "a photo of WORD NOUN"', {
    fallback: defaults.token,
  }),
  method: choice(['lora', 'full'], 'train small added matrices, or every weight', {
    fallback: defaults.method,
  }),
  steps: integer('N', 'optimizer steps', { min: 1, max: 10_000_000, fallback: defaults.steps }),
  lr: number('X', 'learning rate', {
    min: 0,
    max: 1,
    fallback: `${learningRateDefaults.lora} for lora, ${learningRateDefaults.full} for full`,
  }),
  batch: integer('N', 'photos a batch', { min: 1, max: 1024, fallback: defaults.batch }),
  accumulate: integer('N', 'batches a step', { min: 1, max: 4096, fallback: defaults.accumulate }),
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
  rank: integer('N', "rank of the U-Net's LoRA", { min: 1, max: 1024, fallback: lora.rank }),
  alpha: number('X', "scale of the U-Net's LoRA, times its rank", { min: 0, max: 1e6, fallback: lora.alpha }),
  targets: names('A,B', "modules of the U-Net's LoRA", { fallback: lora.targets.join() }),
  textRank: integer('N', "rank of the text encoder's LoRA", { min: 1, max: 1024, fallback: textLora.rank }),
  textAlpha: number('X', 'its scale, times its rank', { min: 0, max: 1e6, fallback: textLora.alpha }),
  textTargets: names('A,B', 'its modules', { fallback: textLora.targets.join() }),
  textEncoder: flag('leave the text encoder as it is', true),
  priorWeight: number('X', 'weight of the loss on class pictures', {
    min: 0,
    max: 1000,
    fallback: prior.weight,
  }),
  classImages: integer('N', 'class pictures, made once by the base model and kept', {
    min: 1,
    max: 100_000,
    fallback: prior.classImages,
  }),
  prior: flag('train on the photos alone, without class pictures', true),
  beta1: number('X', "AdamW's decay of the first moment", {
    min: 0,
    max: 0.999_999,
    fallback: defaults.beta1,
  }),
  beta2: number('X', "AdamW's decay of the second moment", {
    min: 0,
    max: 0.999_999_9,
    fallback: defaults.beta2,
  }),
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
  size: pictureSize('side of the square training pictures in pixels', { fallback: "the model's" }),
  crop: choice(['center', 'random'], 'which square of a photo is taken', { fallback: defaults.crop }),
  flip: flag('train on mirrored photos too'),
  scenes: flag('say nothing of the places that the photos were taken at', true),
  backgroundWeight: number('X', 'what is around the subject counts, in photos with a mask in DIR/masks', {
    min: 0,
    max: 1,
    fallback: defaults.backgroundWeight,
  }),
  checkpointEvery: integer('N', 'steps between checkpoints', {
    min: 1,
    max: most,
    fallback: 'a quarter of the run',
  }),
  sampleEvery: integer('N', 'steps between sample pictures', {
    min: 1,
    max: most,
    fallback: 'a quarter of the run',
  }),
  samplePrompt: text('TEXT', 'prompt of the sample pictures', { fallback: '"a photo of WORD NOUN"' }),
  initLora: file('DIR', 'PEFT folder whose matrices are the start', {
    fallback: 'A Kaiming-uniform, B zero',
  }),
  replay: file('FILE', 'train on recorded batches (safetensors), without photos'),
  ...teamOptions,
  resume: flag('go on with RUN after an interruption'),
  until: choice(['best'], 'score every checkpoint, and end when two in a row did not beat the best'),
  provider: provider(defaults.provider),
};

/** What was said, as the training feature takes it. Throws `usage.…` for options that do not go together. */
export function finetuneRequest(given: Given<typeof finetuneOptions>): FinetuneRequest {
  const { resume = false, out } = given;
  if (!resume) checkSource(given);
  if (given.until !== undefined)
    refuseTogether(`--until ${given.until}`, { '--replay': given.replay }, 'scoring compares with photos');
  if (given.prior === false)
    refuseTogether(
      '--no-prior',
      { '--prior-weight': given.priorWeight, '--class-images': given.classImages },
      'there are no class pictures then',
    );
  if (given.method === 'full') refuseTogether('--method full', loraOptions(given), 'only LoRA has it');
  if (given.textEncoder === false)
    refuseTogether(
      '--no-text-encoder',
      { '--text-rank': given.textRank, '--text-alpha': given.textAlpha, '--text-targets': given.textTargets },
      'it is not trained then',
    );
  return { out, resume, team: teamOf(given), fallbackModel: shippedModel, settings: settingsOf(given) };
}

function checkSource({ photos, replay, class: noun }: Given<typeof finetuneOptions>): void {
  if (photos === undefined && replay === undefined)
    throw problem('usage.missingOption', { option: '--photos', command: 'finetune' });
  if (replay !== undefined)
    refuseTogether('--replay', { '--photos': photos }, 'recorded batches take the place of photos');
  else if (noun === undefined)
    throw problem('usage.missingOption', { option: '--class', command: 'finetune' });
}

function loraOptions(given: Given<typeof finetuneOptions>): Record<string, unknown> {
  return {
    '--rank': given.rank,
    '--alpha': given.alpha,
    '--targets': given.targets,
    '--text-rank': given.textRank,
    '--text-alpha': given.textAlpha,
    '--text-targets': given.textTargets,
    '--init-lora': given.initLora,
  };
}

function settingsOf(given: Given<typeof finetuneOptions>): PartialSettings {
  const prior = defined({ weight: given.priorWeight, classImages: given.classImages });
  return defined({
    model: given.model,
    photos: given.photos,
    classNoun: given.class,
    token: given.token,
    method: given.method,
    steps: given.steps,
    learningRate: given.lr,
    batch: given.batch,
    accumulate: given.accumulate,
    schedule: given.lrSchedule,
    warmup: given.warmup,
    lora: defined({ rank: given.rank, alpha: given.alpha, targets: given.targets }),
    textLora: defined({ rank: given.textRank, alpha: given.textAlpha, targets: given.textTargets }),
    trainTextEncoder: given.textEncoder,
    prior: given.prior === false ? (false as const) : prior,
    beta1: given.beta1,
    beta2: given.beta2,
    epsilon: given.eps,
    weightDecay: given.weightDecay,
    maxGradientNorm: given.maxGradNorm,
    seed: given.seed,
    size: given.size && side(given.size),
    crop: given.crop,
    flip: given.flip,
    photoScenes: given.scenes === false ? {} : undefined,
    backgroundWeight: given.backgroundWeight,
    checkpointEvery: given.checkpointEvery,
    sampleEvery: given.sampleEvery,
    samplePrompt: given.samplePrompt,
    initLora: given.initLora,
    replay: given.replay,
    provider: given.provider,
  });
}

function side({ width, height }: PictureSize): number {
  if (width === height) return width;
  const expected = 'a square: training pictures are as wide as high';
  throw problem('usage.badValue', { option: '--size', value: `${width}x${height}`, expected });
}
