import fs from 'node:fs';
import path from 'node:path';
import { command } from '../command.ts';
import { version, scorerFiles, shippedModel } from '../../shipped.ts';
import { schedulerNames } from '../../engine/schedulers/config.ts';
import {
  generateDefaults as defaults,
  type GenerateRequest,
  type EmbeddingChoice,
  type OverRequest,
  type RegionRequest,
} from '../../features/generation/request.ts';
import type { SaidWithRecipe } from '../../features/generation/fromRecipe.ts';
import { precisions } from '../../../src-shared/domain/precision.ts';
import { boxSchema } from '../../../src-shared/domain/box.ts';
import type { BoxLikeness } from '../../features/generation/measureBoxes.ts';
import { predictions } from '../../../src-shared/domain/prediction.ts';
import { generationLimits as limits } from '../../../src-shared/domain/generationLimits.ts';
import { promptRules } from '../../../src-shared/domain/promptRules.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import {
  choice,
  file,
  model,
  flag,
  integer,
  number,
  pictureSize,
  repeated,
  required,
  text,
  texts,
  type Given,
  type Option,
} from '../options.ts';
import { loraChoice } from '../loraChoice.ts';
import { optionName } from '../parse.ts';
import { readPrompts, readPromptTable } from '../../engine/training/data/promptFiles.ts';
import { defined, provider, refuseTogether } from '../shared.ts';
import { plural } from '../../../src-shared/plural.ts';

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
  partial: flag('use the part that fits of a LoRA for another model'),
  embedding: repeated(embeddingChoice()),
  clipSkip: integer('N', "leave out the text encoder's last N layers (diffusers' clip_skip)", {
    ...{ min: 0, max: 100, fallback: '0' },
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
  strength: number('X', 'with --image: how much is drawn anew, from 0 to 1', {
    ...limits.strength,
    fallback: '0.8; 1 with --mask',
  }),
  mask: file('FILE', 'with --image: draw only where this picture is white, and keep the rest as it is'),
  maskPadding: integer('N', 'with --mask: draw only the masked part and N pixels around it, enlarged', {
    ...limits.maskPadding,
    fallback: 'the whole picture is drawn',
  }),
  grid: file('FILE.png', 'write all pictures into one too: a row for each prompt, a column for each seed'),
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
    problem('usage.badValue', {
      ...{ option, value },
      expected: 'LEFT,TOP,RIGHT,BOTTOM=PATH[:WEIGHT]=PROMPT, the box in per cent of the picture',
    });
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

export const generate = command({
  name: 'generate',
  summary: 'make pictures from prompts',
  usage: '--prompt TEXT… --out DIR [OPTIONS]',
  examples: [
    'likeness generate --prompt "a photo of a red ball" --out pictures',
    'likeness generate --prompt "a photo of sks dog on a beach" --lora runs/dog:0.8 --count 4 --seed 7 --out pictures',
    'likeness generate --prompt "a photo of sks dog on a sofa" --lora runs/dog --image sofa.jpg --mask where.png --out pictures',
    'likeness generate --recipe pictures/00001.png --out again',
  ],
  options: generateOptions,
  request: (given) => ({
    asked: generateRequest(given),
    model: given.model,
    select: selectionOf(given),
    photos: given.photos,
    grid: given.grid,
  }),
  run: async ({ asked, model, select, photos, grid }, context) => {
    const { generate } = await import('../../features/generation/generate.ts');
    const { requestFromRecipe } = await import('../../features/generation/fromRecipe.ts');
    const { modelFor } = await import('../../features/generation/runs.ts');
    const { allLoras } = await import('../../features/generation/loraTags.ts');
    const request =
      'said' in asked
        ? await requestFromRecipe(asked.recipe, asked.said)
        : {
            ...asked,
            model:
              model ??
              modelFor([...allLoras(asked), ...(asked.regions ?? []).map(({ lora }) => lora)], asked.model) ??
              asked.model,
          };
    if (grid !== undefined) {
      const { prepareGrid } = await import('../../features/generation/grid.ts');
      await prepareGrid(grid);
    }
    let afterwards = (): void => undefined;
    const onJournal = (end: () => void): void => void (afterwards = end);
    if (select) {
      const { selectPictures } = await import('../../features/generation/selectPictures.ts');
      const { photosOf, withoutRunAsModel } = await import('../../features/generation/runs.ts');
      const taught = withoutRunAsModel(request).loras;
      const likeness = {
        photos: photosOf(taught, photos, request.prompts),
        mobileNet: scorerFiles.mobileNet,
      };
      const onTried = (tried: number, kept: number): void =>
        context.report({ type: 'note', message: `${tried} drawn, ${kept} kept` });
      const found = await selectPictures(
        { ...request, goOn: true },
        { by: select, likeness },
        context,
        version,
        { onTried, onJournal },
      );
      await writeGrid(grid, found.images);
      const lines = found.images.map(
        ({ path, seed, likeness: value }) => `${path} (seed ${seed}, likeness ${value.toFixed(3)})`,
      );
      return {
        fields: { ...found },
        text: [...lines, `It took ${plural(found.tried, 'picture', 'pictures')}.`].join('\n'),
        afterwards,
      };
    }
    const result = await generate({ ...request, goOn: true }, context, version, { onJournal });
    await writeGrid(grid, result.images);
    const boxes = await likenessOfBoxes(request, result.images);
    const text = result.images
      .map(({ path, seed }, i) => [`${path} (seed ${seed})`, ...describeBoxes(boxes[i] ?? [])].join('\n'))
      .join('\n');
    return { fields: { ...result, ...(boxes.length > 0 && { boxes }) }, text, afterwards };
  },
});

/** How much each box is like its own subject and like the others', where runs with photos draw them. */
async function likenessOfBoxes(
  { regions = [] }: GenerateRequest,
  images: readonly { readonly path: string }[],
): Promise<readonly (readonly BoxLikeness[])[]> {
  if (regions.length === 0) return [];
  const { measureBoxes } = await import('../../features/generation/measureBoxes.ts');
  return measureBoxes(
    regions,
    images.map(({ path: file }) => file),
    scorerFiles.mobileNet,
  );
}

function describeBoxes(boxes: readonly BoxLikeness[]): string[] {
  return boxes.map(
    ({ own, elsewhere }, i) =>
      `  box ${i + 1}: likeness ${own.toFixed(3)} to its own subject; ${elsewhere.map((value) => value.toFixed(3)).join(', ')} elsewhere in the picture`,
  );
}

/** All pictures in one: prompts go down, seeds across. */
async function writeGrid(
  file: string | undefined,
  images: readonly { readonly path: string; readonly seed: number; readonly prompt: string }[],
): Promise<void> {
  if (file === undefined) return;
  const { drawGrid } = await import('../../features/generation/grid.ts');
  const seeds = [...new Set(images.map(({ seed }) => seed))];
  const prompts = [...new Set(images.map(({ prompt }) => prompt))];
  const png = await drawGrid({
    columns: seeds.map((seed) => `seed ${seed}`),
    rows: prompts.map((prompt) => ({
      label: prompt,
      files: seeds.map((seed) => images.find((one) => one.prompt === prompt && one.seed === seed)?.path),
    })),
  });
  const { writeAtomically } = await import('../../engine/checkpoints/writeSafetensors.ts');
  writeAtomically(file, () => [png]);
}

/** Which of many tries are kept. Throws `usage.…` where that cannot be. */
function selectionOf({
  untilLike,
  bestOf,
  lora = [],
  photos,
  prompts,
  latents,
  saveLatents,
  model: whole,
}: Given<typeof generateOptions>): { readonly bestOf: number } | { readonly untilLike: number } | undefined {
  const option = untilLike === undefined ? '--best-of' : '--until-like';
  if (untilLike === undefined && bestOf === undefined) {
    if (photos !== undefined)
      throw problem('usage.missingOption', { option: '--until-like', command: 'generate' });
    return undefined;
  }
  const table = prompts !== undefined && /\.csv$/i.test(prompts) ? prompts : undefined;
  if (untilLike !== undefined) refuseTogether(option, { '--best-of': bestOf }, 'one of them chooses');
  refuseTogether(option, { '--prompts FILE.csv': table }, 'its rows have names of their own');
  refuseTogether(
    option,
    { '--latents': latents, '--save-latents': saveLatents },
    'more pictures are drawn than are kept',
  );
  if (lora.length === 0 && photos === undefined && whole === undefined)
    throw problem('usage.missingOption', { option: '--lora', command: 'generate' });
  return untilLike === undefined ? { bestOf: bestOf ?? 2 } : { untilLike };
}

/** New pictures, or one again by its recipe. Throws `usage.…`, and where the file of prompts cannot be used. */
export function generateRequest(
  given: Given<typeof generateOptions>,
): GenerateRequest | { readonly recipe: string; readonly said: SaidWithRecipe } {
  const { recipe } = given;
  return recipe === undefined ? newPictures(given) : { recipe, said: saidWithRecipe(given) };
}

function newPictures(given: Given<typeof generateOptions>): GenerateRequest {
  const { prompt = [], prompts: list, lora = [], out, recipe: _recipe, ...more } = given;
  const { image: _i, strength: _s, mask: _m, maskPadding: _p, embedding: embeddings, ...others } = more;
  const { region: regions } = given;
  const { weights, loraDir, region: _r, untilLike: _u, bestOf: _b, photos: _ph, grid: _g, ...rest } = others;
  if (loraDir !== undefined && weights !== 'a1111')
    throw problem('usage.missingOption', { option: '--weights a1111', command: 'generate' });
  const folders = loraDir === undefined ? ['', 'runs', 'loras'].map((one) => path.resolve(one)) : [loraDir];
  if (rest.baseGuidance && lora.length === 0 && !regions)
    throw problem('usage.missingOption', { option: '--lora', command: 'generate' });
  const over = overPicture(given);
  const common = {
    ...{ ...defaults, model: shippedModel, ...defined({ ...rest, embeddings }), loras: lora, out },
    ...(over && { over }),
    ...(regions && { regions }),
    ...(weights === 'a1111' && { promptRules: weights, named: { folders, others: [] } }),
  };
  if (list !== undefined && /\.csv$/i.test(list)) {
    refuseTogether('--prompts FILE.csv', { '--prompt': given.prompt }, 'its rows are the set');
    return { ...common, ...readPromptTable(list) };
  }
  if (rest.resume)
    throw problem('usage.conflict', {
      ...{ option: '--resume', other: '--prompt' },
      why: 'only the pictures of a table (--prompts FILE.csv) have given names',
    });
  const prompts = [...prompt, ...(list === undefined ? [] : readPrompts(list))];
  if (!prompts.length) throw problem('usage.missingOption', { option: '--prompt', command: 'generate' });
  return { ...common, prompts };
}

/** The picture to draw over, if there is one. Throws `usage.missingOption` for its options without it. */
function overPicture(given: Given<typeof generateOptions>): OverRequest | undefined {
  const { image, mask, maskPadding } = given;
  const needs = (option: '--image' | '--mask'): Error =>
    problem('usage.missingOption', { option, command: 'generate' });
  if (image === undefined) {
    if (mask !== undefined || given.strength !== undefined || maskPadding !== undefined)
      throw needs('--image');
    return undefined;
  }
  if (mask === undefined && maskPadding !== undefined) throw needs('--mask');
  const strength = given.strength ?? (mask === undefined ? 0.8 : 1);
  return { image, strength, ...defined({ mask, maskPadding }) };
}

/** Options allowed beside `--recipe`: where things are, not what the picture shows. */
function saidWithRecipe(given: Given<typeof generateOptions>): SaidWithRecipe {
  const { out, model, unet, lora, embedding, partial, image, mask, latents, saveLatents } = given;
  const { provider = defaults.provider, precision } = given;
  const fixed = [
    'prompt',
    'prompts',
    'negative',
    'steps',
    'guidance',
    'baseGuidance',
    'guidanceStop',
    'scheduler',
    'seed',
    'count',
    'size',
    'resize',
    'resume',
    'strength',
    'maskPadding',
    'clipSkip',
    'prediction',
    'weights',
    'loraDir',
    'region',
    'untilLike',
    'bestOf',
    'photos',
  ] as const;
  const others = Object.fromEntries(fixed.map((key) => [optionName(key), given[key]]));
  refuseTogether('--recipe', others, 'the recipe says it');
  const places = {
    ...{ model, unet, loras: lora, embeddings: embedding, partial },
    ...{ image, mask, latents, saveLatents, precision },
  };
  return { out, provider, ...defined(places) };
}
