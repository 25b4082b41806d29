import type { KnobName, TrainingSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import type { SettingGroup } from '../../../src-shared/domain/settingSchema.ts';

export interface KnobWords {
  readonly label: string;
  readonly hint?: string;
  /** Placeholder of the empty field of a setting that may be none. */
  readonly none?: string | ((settings: TrainingSettings) => string);
  /** The names of a choice's values. */
  readonly choices?: Readonly<Record<string, string>>;
}

export const knobs = {
  groups: {
    length: 'Length',
    learning: 'Learning',
    lora: 'LoRA',
    knowledge: 'What it keeps',
    pictures: 'Pictures',
    optimizer: 'Optimizer',
  } satisfies Record<SettingGroup, string>,
  classPhotos: 'Class pictures of your own',
  classPhotosNone: 'none: the base model draws them',
  classPhotosHint: (noun: string) =>
    `A folder with pictures of other examples of ${noun ? `“${noun}”` : 'its kind'}, in place of drawn ones. At most as many are used as “Class pictures” says.`,
  settings: {
    steps: { label: 'Steps' },
    checkpointEvery: { label: 'Checkpoint every … steps' },
    sampleEvery: { label: 'Sample every … steps', none: 'never' },
    samplePrompt: {
      label: 'Sample prompt',
      none: ({ token, classNoun }) => `a photo of ${token} ${classNoun}`,
    },
    method: {
      label: 'Method',
      hint: 'LoRA trains small added matrices; DoRA, LoHa and LoKr are kinds of it. Training all weights needs far more memory. Only a new word changes no weights: the file is tiny, the likeness weaker.',
      choices: {
        lora: 'LoRA',
        dora: 'DoRA',
        loha: 'LoHa',
        lokr: 'LoKr',
        full: 'All weights',
        embedding: 'Only a new word',
      },
    },
    learningRate: { label: 'Learning rate' },
    textLearningRate: { label: 'Learning rate (text)', none: 'as the U-Net' },
    schedule: {
      label: 'Schedule',
      choices: {
        constant: 'constant',
        constant_with_warmup: 'constant after warm-up',
        linear: 'linear to zero',
        cosine: 'cosine to zero',
      },
    },
    warmup: { label: 'Warm-up steps' },
    batch: { label: 'Batch', hint: 'Photos at a time. Memory grows with it.' },
    accumulate: { label: 'Batches per step' },
    minSnrGamma: {
      label: 'Min-SNR gamma',
      hint: 'Stops nearly clean pictures from counting too much. 5 is usual.',
    },
    noiseOffset: {
      label: 'Noise offset',
      hint: '0.1 helps with very dark and very bright pictures. 0 is off.',
    },
    ema: {
      label: 'Moving average of weights',
      hint: 'Checkpoints hold an average of the last steps, which is steadier. 0.99 suits a short run.',
    },
    'lora.rank': { label: 'Rank (U-Net)' },
    'lora.alpha': { label: 'Alpha (U-Net)' },
    'lora.targets': { label: 'Modules (U-Net)' },
    'textLora.rank': { label: 'Rank (text)' },
    'textLora.alpha': { label: 'Alpha (text)' },
    'textLora.targets': { label: 'Modules (text)' },
    'embedding.vectors': {
      label: 'Vectors of the word',
      hint: 'More hold more of the subject. Each takes the place of a token in prompts.',
    },
    'embedding.initWord': { label: 'Starts as', none: ({ classNoun }) => classNoun },
    trainTextEncoder: { label: 'Train the text encoder', hint: 'A better likeness for more memory.' },
    prior: {
      label: 'Prior preservation',
      hint: 'Keeps the class general, so that not every dog turns into yours.',
    },
    'prior.weight': { label: 'Prior weight' },
    'prior.classImages': { label: 'Class pictures' },
    'prior.classSteps': { label: 'Steps of a class picture', hint: '12 are enough if 25 take too long.' },
    'prior.prompt': {
      label: 'Class prompt',
      hint: 'What class pictures show. With {on grass|in the snow} they take turns.',
    },
    size: { label: 'Size in pixels' },
    captions: {
      label: 'Use captions',
      hint: 'NAME.txt beside a photo is its prompt; {token} and {class} are filled in.',
    },
    crop: {
      label: 'Crop',
      choices: {
        center: 'the chosen square',
        random: 'a random square',
        subject: 'the subject, large and in the middle',
      },
    },
    buckets: {
      label: 'Keep the shape of photos',
      hint: 'Wide and tall photos are not cut to squares (aspect buckets). Each shape needs some memory of its own.',
    },
    flip: { label: 'Mirror photos at random', hint: 'Not for faces or writing.' },
    backgroundWeight: {
      label: 'Background weight',
      hint: 'For photos with a mask: 0 ignores the background, 1 learns it like the subject.',
    },
    autoMask: {
      label: 'Find the subject in photos without a mask',
      hint: 'Their background then counts less too. A mask that you paint takes the place of what is found.',
    },
    newPlaces: {
      label: 'Show the subject in other places too',
      hint: 'It is cut out by its mask and put into pictures of places that come with the model, so that it is not learnt together with where you took it.',
    },
    seed: { label: 'Seed' },
    recompute: {
      label: 'Compute blocks twice',
      hint: 'Needs much less memory; a step takes about a third longer. The result is the same.',
    },
    optimizer: {
      label: 'Optimizer',
      hint: 'The 8-bit one and Adafactor need less memory. Prodigy finds the learning rate itself, which takes some 100 steps.',
      choices: { adamw: 'AdamW', adamw8bit: 'AdamW, 8 bits', adafactor: 'Adafactor', prodigy: 'Prodigy' },
    },
    stepScale: { label: 'Step scale', hint: '0.5 learns less, 2 learns more.' },
    beta1: { label: 'β₁' },
    beta2: { label: 'β₂' },
    epsilon: { label: 'ε' },
    weightDecay: { label: 'Weight decay' },
    maxGradientNorm: { label: 'Maximum gradient norm' },
    precision: {
      label: 'Precision',
      hint: '16 bits need about half the memory, on graphics cards that support them.',
      choices: { f32: '32 bits (f32)', f16: '16 bits (f16)', bf16: '16 bits (bf16)' },
    },
  } satisfies Record<KnobName, KnobWords>,
  advanced: 'Advanced',
  advancedAbout: 'loss weighting, moving average, LoRA modules, optimizer constants…',
  reset: 'Reset to the preset',
};
