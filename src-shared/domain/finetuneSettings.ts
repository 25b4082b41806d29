import * as z from 'zod';
import { usualSteps } from './classPlan.ts';
import { predictions } from './prediction.ts';
import { askedType } from './settingValues.ts';
import {
  learningSettings,
  lengthSettings,
  machineSettings,
  optimizerSettings,
  pictureSettings,
  unlessProdigy,
} from './loopSettings.ts';
import {
  choice,
  data,
  names,
  number,
  optional,
  optionalPart,
  orNone,
  part,
  path,
  settingsType,
  text,
  toggle,
  whole,
  word,
  type Asked,
  type SettingName,
  type Values,
} from './settingSchema.ts';

/** Methods that add small matrices and leave the model's weights as they are. */
const adapterMethods = ['lora', 'dora', 'loha', 'lokr'] as const;

/** diffusers' and PEFT's DreamBooth scripts. */
const rates: Readonly<Record<string, number>> = { full: 1e-6, embedding: 5e-4 };
const rateOfMethod = unlessProdigy(
  '1e-4, 1e-6 for full, 5e-4 for embedding',
  ({ method }) => rates[String(method)] ?? 1e-4,
);

const textsByFile = z.record(z.string(), z.string());

/** A subject that a run learns beside its first one. */
const otherSubjectType = z.strictObject({
  classNoun: z.string().min(1).max(200),
  token: z.string().min(1).max(200),
  /** Its folder; left out where settings do not depend on the machine. */
  photos: z.string().min(1).optional(),
  photoScenes: textsByFile.optional(),
  photoCaptions: textsByFile.optional(),
});
export type OtherSubject = Readonly<z.output<typeof otherSubjectType>>;

/** The settings of a finetune that don't depend on the machine: those on the studio's screen, and the subject's words. */
export const trainingSettings = {
  classNoun: word('what the subject is: dog, mug, backpack', { option: 'class', as: 'NOUN', default: '' }),
  token: word('stands for the subject in prompts: "a photo of WORD NOUN"', { default: 'sks' }),
  otherSubjects: optional(
    data(
      z.array(otherSubjectType).min(1).max(20).readonly(),
      'subjects that are learnt in turn with the first',
    ),
  ),

  ...lengthSettings,
  samplePrompt: orNone(
    text('prompt of the sample pictures', {
      otherwise: '"a photo of WORD NOUN"',
      group: 'length',
      change: 'anytime',
    }),
  ),

  method: choice(
    ['lora', 'dora', 'loha', 'lokr', 'full', 'embedding'],
    'train small added matrices (plain, with magnitudes, or as LyCORIS makes them), every weight, or nothing but a new word',
    { default: 'lora', alike: adapterMethods, group: 'learning' },
  ),
  ...learningSettings,
  learningRate: {
    ...learningSettings.learningRate,
    meantFor: ['optimizer', 'method'],
    default: rateOfMethod,
  },
  /** kohya's and diffusers' `--text_encoder_lr`. */
  textLearningRate: orNone(
    number('learning rate of the text encoder', [0, 1], {
      option: 'text-lr',
      otherwise: 'that of the U-Net',
      group: 'learning',
      when: { trainTextEncoder: true, optimizer: ['adamw', 'adamw8bit', 'adafactor'] },
      advanced: true,
    }),
  ),

  /** Min-SNR-γ (Hang et al. 2023); diffusers' `--snr_gamma`. */
  minSnrGamma: orNone(
    number('min-SNR weighting: limits how much low noise levels count; 5 is usual', [0.01, 1000], {
      option: 'min-snr',
      as: 'GAMMA',
      otherwise: 'every noise level counts alike',
      group: 'learning',
      advanced: true,
    }),
  ),
  /** Makes very dark and very bright pictures learnable (Guttenberg 2023); as diffusers' `train_text_to_image.py`. */
  noiseOffset: number("shifts each channel's noise by up to this; 0.1 is usual", [0, 1], {
    default: 0,
    before: 0,
    group: 'learning',
    advanced: true,
  }),
  /** Of what is trained; diffusers' `EMAModel`. */
  ema: orNone(
    number(
      'checkpoints hold a moving average of the weights, with this decay; 0.99 suits a short run',
      [0, 0.999_999_9],
      { option: 'ema', as: 'DECAY', otherwise: 'the weights themselves', group: 'learning', advanced: true },
    ),
  ),

  lora: part(
    {
      rank: whole("rank of the U-Net's LoRA", [1, 1024], { default: 16 }),
      alpha: number("alpha of the U-Net's LoRA; its scale is alpha / rank", [0, 1e6], { default: 27 }),
      /** Last names of modules, as PEFT's `target_modules`. */
      targets: names("modules of the U-Net's LoRA", { default: ['to_q', 'to_v'], advanced: true }),
    },
    { group: 'lora', when: { method: adapterMethods } },
  ),
  textLora: part(
    {
      rank: whole("rank of the text encoder's LoRA", [1, 1024], { option: 'text-rank', default: 16 }),
      alpha: number("alpha of the text encoder's LoRA", [0, 1e6], { option: 'text-alpha', default: 17 }),
      targets: names("modules of the text encoder's LoRA", {
        option: 'text-targets',
        default: ['q_proj', 'v_proj'],
        advanced: true,
      }),
    },
    { group: 'lora', when: { method: adapterMethods, trainTextEncoder: true } },
  ),

  /** Textual inversion (Gal et al. 2022); diffusers' `textual_inversion.py`. */
  embedding: part(
    {
      vectors: whole('vectors of the new word; each takes the place of a token in prompts', [1, 32], {
        default: 1,
        before: 1,
      }),
      /** diffusers' `--initializer_token`. */
      initWord: orNone(
        word('the word whose meaning the new one starts from', { otherwise: 'the class noun' }),
      ),
    },
    { group: 'learning', when: { method: 'embedding' } },
  ),

  trainTextEncoder: toggle('leave the text encoder as it is', {
    option: 'text-encoder',
    default: true,
    group: 'knowledge',
    when: { method: [...adapterMethods, 'full'] },
  }),
  /** Prior preservation: loss = subject's + weight · the class's (Ruiz et al. 2022, equation 2). */
  prior: optionalPart(
    {
      weight: number('weight of the loss on class pictures', [0, 1000], {
        option: 'prior-weight',
        default: 1,
      }),
      classImages: whole('class pictures, made once by the base model and kept', [1, 100_000], {
        default: 200,
      }),
      classSteps: whole('denoising steps of a class picture', [1, 1000], {
        default: usualSteps,
        before: usualSteps,
        advanced: true,
      }),
      /** diffusers' `--class_prompt`; with choices, class pictures take turns, each with its own. */
      prompt: text(
        'prompt of class pictures, with {class} filled in; choices like "{on grass|in the snow}" take turns',
        { option: 'class-prompt', default: 'a photo of {class}', before: 'a photo of {class}' },
      ),
    },
    { help: 'train only on the photos, without class pictures', option: 'prior' },
    { group: 'knowledge', when: { method: [...adapterMethods, 'full'] } },
  ),

  size: pictureSettings.size,
  captions: toggle('ignore the captions beside photos and class pictures (NAME.txt)', {
    default: true,
    before: false,
    group: 'pictures',
  }),
  crop: choice(
    ['center', 'random', 'subject'],
    'which square of a photo is taken; subject: one with what its mask shows large and in the middle',
    { default: 'center', group: 'pictures' },
  ),
  buckets: toggle(
    'keep the shape of photos: each is cut to the shape nearest to its own, no larger in area than the square',
    { default: false, before: false, group: 'pictures' },
  ),
  flip: toggle('train on mirrored photos too', { default: false, group: 'pictures' }),
  /** Weight of the squared error outside a photo's mask; at 1, masks change nothing. */
  backgroundWeight: number('how much the background counts, in photos with a mask in DIR/masks', [0, 1], {
    default: 0.3,
    before: 1,
    group: 'pictures',
  }),
  autoMask: toggle('find the subject in photos without a mask, and count their background less too', {
    default: false,
    before: false,
    group: 'pictures',
  }),
  /** Cut and paste (Dwibedi et al. 2017), so that a subject is not learnt together with where it was photographed. */
  newPlaces: toggle(
    'show the subject, cut out by its mask, in the places that come with the model too (MODEL/places)',
    { default: false, before: false, group: 'pictures' },
  ),
  seed: pictureSettings.seed,

  /** Gradient checkpointing (Chen et al. 2016): the same bits. */
  recompute: toggle(
    'compute each block again for its gradient, in place of keeping its values: much less memory, about a third slower',
    { default: false, before: false, group: 'optimizer', advanced: true },
  ),
  ...optimizerSettings,
} as const;

/**
 * Every setting of a finetune, in the order of `likeness finetune --help`. To add one: declare it above, name it in
 * `src-renderer/texts`, and use it where it has its effect. Paths are absolute.
 */
export const finetuneSettings = {
  photos: optional(path('a folder with photos of the subject', { as: 'DIR', change: 'moved' })),
  model: path('diffusers folder or single file to start from', {
    as: 'PATH',
    otherwise: 'the shipped model',
    change: 'anytime',
  }),
  prediction: optional(
    choice(predictions, 'what the model predicts, for a single file that does not say it', {
      otherwise: 'as the file says, else as diffusers assumes',
    }),
  ),
  ...trainingSettings,
  /**
   * Where photos were taken, by file name: "on a wooden floor". Added to their prompts, so that places are not learnt as part of
   * the subject. Photos that are left out get no place.
   */
  photoScenes: optional(data(textsByFile, 'where photos were taken')),
  /** Captions of photos, by file name; each replaces the whole prompt, with {token} and {class} filled in. */
  photoCaptions: optional(data(textsByFile, 'captions of photos')),
  /** The same of the person's own pictures of the class; a {token} in them means nothing. */
  classCaptions: optional(data(textsByFile, 'captions of class pictures')),
  classPhotos: optional(
    path('a folder with pictures of the class, at most --class-images of them', {
      as: 'DIR',
      otherwise: 'the base model makes them',
      change: 'moved',
    }),
  ),
  initLora: optional(
    path('LoRA to start from', {
      as: 'DIR',
      otherwise: 'A Kaiming-uniform, B zero',
      when: { method: adapterMethods },
      change: 'moved',
    }),
  ),
  replay: optional(
    path('train on recorded batches (safetensors), without photos', { as: 'FILE', change: 'moved' }),
  ),
  ...machineSettings,
} as const;

export type FinetuneSettings = Readonly<Values<typeof finetuneSettings>>;
/** The settings that a person gave for a finetune. */
export type AskedFinetune = Asked<typeof finetuneSettings>;

/** The same settings without class pictures where these teach nothing: a new word changes nothing that the model knows of the class. */
export function withoutIdlePrior<S extends Pick<FinetuneSettings, 'method' | 'prior'>>(settings: S): S {
  return settings.method === 'embedding' ? { ...settings, prior: null } : settings;
}

export type LoraSettings = FinetuneSettings['lora'];
export const trainingSettingsType = settingsType(trainingSettings);
export type TrainingSettings = Readonly<Values<typeof trainingSettings>>;
/** The part of a finetune's settings that doesn't depend on the machine. */
export function trainingSettingsOf(settings: FinetuneSettings): TrainingSettings {
  const { otherSubjects, ...own } = trainingSettingsType.strip().parse(settings);
  const words = otherSubjects?.map(({ classNoun, token }) => ({ classNoun, token }));
  return { ...own, ...(words && { otherSubjects: words }) };
}

/** A setting that the studio asks for. */
export type KnobName = Exclude<SettingName<typeof trainingSettings>, 'classNoun' | 'token' | 'otherSubjects'>;

/** What differs from a preset. */
export const trainingChangesType = askedType(trainingSettings);
export type TrainingChanges = Asked<typeof trainingSettings>;
