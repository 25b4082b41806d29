import fs from 'node:fs';
import { boxSchema } from '../../src-shared/domain/box.ts';
import { generationLimits as limits } from '../../src-shared/domain/generationLimits.ts';
import { precisions } from '../../src-shared/domain/precision.ts';
import { predictions } from '../../src-shared/domain/prediction.ts';
import { promptRules } from '../../src-shared/domain/promptRules.ts';
import { upscaleFactors } from '../../src-shared/domain/upscale.ts';
import { schedulerNames } from '../engine/schedulers/config.ts';
import {
  generateDefaults as defaults,
  type EmbeddingChoice,
  type RegionRequest,
} from '../features/generation/request.ts';
import { loraChoice } from './loraChoice.ts';
import {
  badValue,
  choice,
  file,
  flag,
  integer,
  model,
  number,
  pictureSize,
  repeated,
  required,
  text,
  texts,
  type Option,
} from './options.ts';
import { provider } from './shared.ts';

export const generateOptions = {
  prompt: texts('TEXT', 'what to show; several texts make several pictures'),
  prompts: file(
    'FILE',
    'a text file with one prompt per line, or a .csv with the columns file_name and text: pictures with those names',
  ),
  out: required(file('DIR', 'folder for the pictures')),
  recipe: file('FILE.png', 'make this picture again, exactly'),
  model: model('PATH', 'diffusers folder, single file, Hub id, or a run (its model with what it learnt)', {
    fallback: "that of --lora's run, else the shipped model",
  }),
  unet: model('PATH', 'take only the U-Net from this model, Hub id or U-Net folder', {
    fallback: "the model's own",
  }),
  lora: repeated(loraChoice()),
  partial: flag('of a LoRA for another model, use the part that fits'),
  embedding: repeated(embeddingChoice()),
  clipSkip: integer('N', "leave out the text encoder's last N layers (diffusers' clip_skip)", {
    ...{ ...limits.clipSkip, fallback: '0' },
  }),
  prediction: choice(predictions, 'what the model predicts, for a single file that does not say it'),
  negative: text('TEXT', 'what not to show', { fallback: 'nothing' }),
  steps: integer('N', 'denoising steps', { ...limits.steps, fallback: defaults.steps }),
  guidance: number('X', "how closely to follow the prompt (diffusers' guidance_scale)", {
    ...limits.guidance,
    fallback: "the model's own, or 7.5",
  }),
  baseGuidance: number('X', 'with --lora: weight of what the base model makes of the prompt; keeps scenes', {
    ...limits.guidance,
    fallback: "the model's own, or 0; 0 too with --guidance alone",
  }),
  guidanceStop: number('X', 'share of the steps after which guidance ends', {
    ...limits.guidanceStop,
    fallback: "the model's own, or 1; 1 too with --guidance alone",
  }),
  scheduler: choice(schedulerNames, 'the sampler', { fallback: "the model's own" }),
  seed: integer('N', 'picture i of a prompt uses N+i', { ...limits.seed, fallback: 'random' }),
  count: integer('N', 'pictures per prompt', { ...limits.count, fallback: defaults.count }),
  batch: integer('N', 'pictures at once', { min: 1, max: 1024, fallback: 'what memory allows' }),
  size: pictureSize('pixels', { fallback: "the model's" }),
  resize: pictureSize('size in pixels to which each picture is resized', { fallback: 'as it is made' }),
  resume: flag('with --prompts FILE.csv: make only the missing pictures'),
  weights: choice(
    promptRules,
    'how prompts are read: as written, or with (weights:1.3), BREAK and <lora:NAME:0.8>',
    {
      fallback: 'none',
    },
  ),
  loraDir: file('DIR', 'with --weights a1111: where to find LoRAs and runs that prompts name', {
    fallback: 'this folder, and runs and loras in it',
  }),
  untilLike: number(
    'X',
    'draw until --count pictures of each prompt are at least this like the subject of --lora',
    {
      ...{ ...limits.untilLike, fallback: 'the first ones are kept' },
    },
  ),
  bestOf: integer('N', 'draw N for each picture and keep the one most like the subject of --lora', {
    ...{ ...limits.bestOf, fallback: 'the first ones are kept' },
  }),
  photos: file('DIR', 'with --until-like and --best-of: photos of the subject', {
    fallback: 'those of the run of --lora',
  }),
  region: repeated(regionChoice()),
  image: file('FILE', 'draw over this picture', { fallback: 'new pictures' }),
  strength: number('X', 'with --image: how much is redrawn, from 0 to 1', {
    ...limits.strength,
    fallback: '0.8; 1 with --mask',
  }),
  mask: file('FILE', 'with --image: draw only where this picture is white, and keep the rest as it is'),
  maskPadding: integer('N', 'with --mask: draw only the masked part and N pixels around it, enlarged', {
    ...limits.maskPadding,
    fallback: 'the whole picture is drawn',
  }),
  upscale: choice(
    upscaleFactors,
    'enlarge each picture so many times, with the network that comes with Likeness',
    {
      fallback: 'as it is drawn',
    },
  ),
  hiresStrength: number(
    'X',
    'with --upscale: draw over the enlarged picture; how much, from 0 to 1 (hi-res fix)',
    {
      ...limits.strength,
      fallback: 'it is only enlarged',
    },
  ),
  grid: file('FILE.png', 'also write all pictures into one: a row for each prompt, a column for each seed'),
  latents: file('FILE', 'safetensors with the starting noise, key latents [n,c,h,w]', {
    fallback: 'from the seed',
  }),
  saveLatents: file('FILE', 'write the final latents there'),
  provider: provider(defaults.provider),
  precision: choice(
    precisions,
    'what networks compute in; f16 needs about half the memory of a graphics device, where that can',
    { fallback: 'f32' },
  ),
};

/** `0,20,50,100=runs/rex:0.9=a photo of sks dog`: a box in per cent, what draws it, and from what prompt. */
function regionChoice(): Option<RegionRequest> {
  const lora = loraChoice();
  const bad = (option: string, value: string): Error =>
    badValue(option, value, 'LEFT,TOP,RIGHT,BOTTOM=PATH[:WEIGHT]=PROMPT, the box in per cent of the picture');
  return {
    help: 'a box of the picture for a subject: its own LoRA or run, and its own prompt, kept apart from the others',
    takes: 'one',
    placeholder: 'L,T,R,B=PATH[:WEIGHT]=PROMPT',
    fallback: 'the whole picture is one',
    read: ([value = ''], name) => {
      const [, sides = '', path = '', prompt = ''] = /^([^=]*)=(.+)=([^=]+)$/s.exec(value) ?? [];
      const [left, top, right, bottom, ...more] = sides.split(',').map((side) => Number(side) / 100);
      const box = boxSchema.safeParse({ left, top, right, bottom });
      if (!box.success || more.length > 0) throw bad(name, value);
      return { box: box.data, lora: lora.read([path], name), prompt: prompt.trim() };
    },
  };
}

/** What follows the last colon is the word, unless it belongs to the path. */
function embeddingChoice(): Option<EmbeddingChoice> {
  const path = file('PATH[:WORD]', "a textual inversion's file, and its word in prompts", {
    fallback: 'the word in the file, else the name of the file',
  });
  return {
    ...path,
    read: (words, name) => {
      const given = words[0] ?? '';
      const [, front, word] = /^(.+):([^:/\\]+)$/s.exec(given) ?? [];
      if (front === undefined || word === undefined || fs.existsSync(given))
        return { path: path.read([given], name) };
      return { path: path.read([front], name), word };
    },
  };
}
