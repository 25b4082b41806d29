import fs from 'node:fs';
import path from 'node:path';
import type { SchedulerName } from '../../engine/schedulers/config.ts';
import {
  generateDefaults as defaults,
  type GenerateRequest,
  type LoraChoice,
} from '../../features/generation/request.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import {
  choice,
  file,
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
import { defined, provider } from '../shared.ts';

const schedulers: readonly SchedulerName[] = ['pndm', 'ddim', 'ddpm', 'dpm++2m', 'euler', 'euler-a'];

export const generateOptions = {
  prompt: texts('TEXT', 'what to show; more texts, more pictures'),
  prompts: file('FILE', 'a text file with a prompt a line'),
  out: required(file('DIR', 'folder for the pictures')),
  recipe: file('FILE.png', 'make this picture again; other options change its recipe'),
  model: file('PATH', 'diffusers folder or single file', { fallback: 'the shipped model' }),
  lora: repeated(loraChoice()),
  negative: text('TEXT', 'what not to show', { fallback: 'nothing' }),
  steps: integer('N', 'denoising steps', { min: 1, max: 1000, fallback: defaults.steps }),
  guidance: number('X', "how closely to follow the prompt (diffusers' guidance_scale)", {
    min: 0,
    max: 1000,
    fallback: defaults.guidance,
  }),
  scheduler: choice(schedulers, 'the sampler', { fallback: "the model's own" }),
  seed: integer('N', 'picture i of a prompt uses N+i', {
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    fallback: 'random',
  }),
  count: integer('N', 'pictures a prompt', { min: 1, max: 100_000, fallback: defaults.count }),
  batch: integer('N', 'pictures at once', { min: 1, max: 1024, fallback: 'what memory allows' }),
  size: pictureSize('pixels', { fallback: "the model's" }),
  latents: file('FILE', 'safetensors with the starting noise, key latents [n,c,h,w]', {
    fallback: 'from the seed',
  }),
  saveLatents: file('FILE', 'write the final latents there'),
  provider: provider(defaults.provider),
};

/** The path may hold colons itself: what follows the last one is a weight only when it is a number. */
function loraChoice(): Option<LoraChoice> {
  const path = file('PATH[:WEIGHT]', 'a PEFT folder, a run folder, or a kohya or diffusers file', {
    fallback: 'weight 1',
  });
  const weight = number('WEIGHT', '', { min: -100, max: 100 });
  return {
    ...path,
    read: (words, name) => {
      const word = words[0] ?? '';
      const [, front, back] = /^(.+):([^:/\\]*)$/s.exec(word) ?? [];
      if (front === undefined || back === undefined || !/\d/.test(back) || fs.existsSync(word))
        return { path: path.read([word], name), weight: 1 };
      return { path: path.read([front], name), weight: weight.read([back], name) };
    },
  };
}

/**
 * What was said over the `recipe` of a picture over the defaults. Throws `usage.missingOption` without a prompt, and the
 * system's error where the file of prompts cannot be read.
 */
export function generateRequest(
  given: Given<typeof generateOptions>,
  recipe: Partial<GenerateRequest>,
  shippedModel: string,
): GenerateRequest {
  const { prompt, prompts, lora, out, recipe: _recipe, ...rest } = given;
  const said = [...(prompt ?? []), ...(prompts === undefined ? [] : readPrompts(prompts))];
  const all = said.length ? said : recipe.prompts;
  if (!all?.length) throw problem('usage.missingOption', { option: '--prompt', command: 'generate' });
  return {
    ...defaults,
    model: shippedModel,
    ...recipe,
    ...defined(rest),
    ...(lora && { loras: lora }),
    prompts: all,
    out,
  };
}

function readPrompts(file: string): string[] {
  const lines = fs
    .readFileSync(file, 'utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/);
  const prompts = lines.map((line) => line.trim()).filter((line) => line !== '');
  if (!prompts.length) throw problem('prompts.none', { file: path.relative('.', file) || file });
  return prompts;
}
