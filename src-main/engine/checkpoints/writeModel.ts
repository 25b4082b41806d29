import { copyFileSync, cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import type { ClipTextConfig } from '../models/config.ts';
import { publishedTokenizer } from '../models/publishedTokenizer.ts';
import { placesFolder, type Model, type ModelPart, type TokenizerFiles } from './model.ts';
import { modelSpecOf } from './modelspec.ts';
import { renamer, swapped } from './names/renamer.ts';
import { inProjParts, openClipNames, partPrefixes, unetNames, vaeNames } from './names/singleFile.ts';
import { configKeys } from './savedConfigs.ts';
import { isFile, isFolder, makeFolder, orUnwritable } from './files.ts';
import { jsonText, writeJson } from './writeJson.ts';
import {
  joined,
  writeAtomically,
  writeSafetensors,
  turned,
  type NamedTensor,
  type TensorSource,
} from './writeSafetensors.ts';
import { entryOf } from '../../../src-shared/entryOf.ts';

/** Tensors that replace the model's own, by canonical name; the rest is copied from the model's files. */
export interface Changes {
  readonly unet?: ReadonlyMap<string, TensorSource> | undefined;
  readonly vae?: ReadonlyMap<string, TensorSource> | undefined;
  readonly textEncoder?: ReadonlyMap<string, TensorSource> | undefined;
  readonly textEncoder2?: ReadonlyMap<string, TensorSource> | undefined;
}

export interface ModelFormat {
  /** Type of float tensors; as they are stored when left out. */
  readonly dtype?: 'f32' | 'f16' | undefined;
}

/**
 * Writes a whole pipeline folder that `StableDiffusionPipeline.from_pretrained` loads, the text encoder under its published
 * names, with the model's `likeness.json` where it has one. `tokenizer` is for models without one of their own (single files); the published one where there is none. Errors: `file.unwritable`, `model.missingPart`.
 */
export function writeDiffusers(
  dir: string,
  model: Model,
  changes: Changes = {},
  options: ModelFormat & { readonly tokenizer?: TokenizerFiles | undefined } = {},
): void {
  writePart(join(dir, 'unet'), 'diffusion_pytorch_model', model.unet, changes.unet, options);
  writePart(join(dir, 'vae'), 'diffusion_pytorch_model', model.vae, changes.vae, options);
  writePart(join(dir, 'text_encoder'), 'model', model.textEncoder, changes.textEncoder, options);
  const { textEncoder2: second } = model;
  if (second) writePart(join(dir, 'text_encoder_2'), 'model', second, changes.textEncoder2, options);
  writeSurroundings(dir, model, options.tokenizer, {
    _class_name: second ? 'StableDiffusionXLPipeline' : 'StableDiffusionPipeline',
    text_encoder: ['transformers', 'CLIPTextModel'],
    ...(second && {
      text_encoder_2: ['transformers', 'CLIPTextModelWithProjection'],
      tokenizer_2: ['transformers', 'CLIPTokenizer'],
      force_zeros_for_empty_prompt: model.zeroNegative ?? true,
    }),
    unet: ['diffusers', 'UNet2DConditionModel'],
    vae: ['diffusers', 'AutoencoderKL'],
  });
}

/**
 * What a pipeline's folder has beside its networks: tokenizer, scheduler, guidance of its own, and `model_index.json` with `index`.
 * Errors: `model.missingPart` where there is no tokenizer.
 */
export function writeSurroundings(
  dir: string,
  model: Model,
  other: TokenizerFiles | undefined,
  index: Readonly<Record<string, unknown>>,
): void {
  writeTokenizer(join(dir, 'tokenizer'), model, model.tokenizer ?? other, model.textEncoder.config);
  const { textEncoder2: second } = model;
  if (second)
    writeTokenizer(join(dir, 'tokenizer_2'), model, model.tokenizer2, {
      ...second.config,
      hidden_act: 'gelu',
    });
  const own = join(model.path, 'likeness.json');
  if (isFile(own)) orUnwritable(join(dir, 'likeness.json'), (copy) => copyFileSync(own, copy));
  const places = join(model.path, placesFolder);
  if (isFolder(places))
    orUnwritable(join(dir, placesFolder), (copy) => cpSync(places, copy, { recursive: true }));
  const scheduler = { _class_name: 'PNDMScheduler', ...model.scheduler };
  makeFolder(join(dir, 'scheduler'));
  writeJson(join(dir, 'scheduler', 'scheduler_config.json'), scheduler);
  // Last: a folder with this file is complete.
  writeJson(join(dir, 'model_index.json'), {
    _diffusers_version: '0.21.0',
    feature_extractor: [null, null],
    ...(!second && { requires_safety_checker: false, safety_checker: [null, null] }),
    scheduler: ['diffusers', scheduler._class_name],
    tokenizer: ['transformers', 'CLIPTokenizer'],
    ...index,
  });
}

/** The tokenizer's files, or the published ones for a text encoder of that vocabulary. Errors: `model.missingPart`. */
function writeTokenizer(
  folder: string,
  { path }: Model,
  tokenizer: TokenizerFiles | undefined,
  config: ClipTextConfig,
): void {
  const published = tokenizer ? {} : publishedTokenizer(config);
  if (!published) throw problem('model.missingPart', { file: path, part: 'tokenizer' });
  makeFolder(folder);
  if (tokenizer) copyTokenizer(folder, tokenizer);
  for (const [name, text] of Object.entries(published))
    writeAtomically(join(folder, name), () => [Buffer.from(text)]);
}

/** Writes one network: its weights, with `changes` in place of stored ones, and its `config.json`. */
export function writePart(
  folder: string,
  stem: string,
  part: ModelPart<unknown>,
  changes: Changes[keyof Changes],
  { dtype }: ModelFormat,
): void {
  makeFolder(folder);
  writeSafetensors(join(folder, `${stem}.safetensors`), tensorsOf(part, changes, dtype), { format: 'pt' });
  writeAtomically(join(folder, 'config.json'), () => [Buffer.from(part.configText)]);
}

/**
 * Every tensor of a part, with changes in place of stored ones and in their type. A change of an unknown tensor is the caller's
 * mistake.
 */
function tensorsOf(
  { weights }: ModelPart<unknown>,
  changes: Changes[keyof Changes] = new Map(),
  dtype: ModelFormat['dtype'],
): NamedTensor[] {
  for (const name of changes.keys())
    if (!weights.has(name)) throw new Error(`the model has no tensor ${name}`);
  return weights.names().map((name) => {
    const stored = entryOf(weights, name);
    return {
      name,
      tensor: changes.get(name) ?? stored,
      dtype: dtype ?? (stored.dtype === 'f16' ? 'f16' : undefined),
    };
  });
}

function copyTokenizer(folder: string, tokenizer: TokenizerFiles): void {
  const names = [
    'vocab.json',
    'merges.txt',
    'tokenizer.json',
    'tokenizer_config.json',
    'special_tokens_map.json',
    'added_tokens.json',
  ];
  for (const name of readdirSync(tokenizer.folder).filter((found) => names.includes(found))) {
    const from = join(tokenizer.folder, name);
    if (isFile(from)) orUnwritable(join(folder, name), (to) => copyFileSync(from, to));
  }
}

/**
 * Writes one `.safetensors` in the Stable Diffusion 1, 2 or XL layout, the text encoder of 2 and the second one of XL as OpenCLIP's.
 * The configs go into the metadata, so that any shape comes back; other tools ignore them. Errors: `file.unwritable`.
 */
export function writeSingleFile(
  file: string,
  model: Model,
  changes: Changes = {},
  options: ModelFormat = {},
): void {
  const { architecture, prediction } = modelSpecOf(model);
  const { dtype } = options;
  const tensors = [
    ...under(
      partPrefixes.unet,
      tensorsOf(model.unet, changes.unet, dtype),
      renamer(swapped(unetNames(model.unet.config))),
    ),
    ...under(
      partPrefixes.vae,
      tensorsOf(model.vae, changes.vae, dtype).map(asConvolution),
      renamer(swapped(vaeNames(model.vae.config))),
    ),
    ...textTensors(model, changes, dtype),
  ];
  writeSafetensors(file, tensors, {
    format: 'pt',
    'modelspec.sai_model_spec': '1.0.0',
    'modelspec.architecture': architecture,
    'modelspec.prediction_type': prediction,
    [configKeys.unet]: model.unet.configText,
    [configKeys.vae]: model.vae.configText,
    [configKeys.textEncoder]: model.textEncoder.configText,
    ...(model.textEncoder2 && {
      [configKeys.textEncoder2]: model.textEncoder2.configText,
      [configKeys.zeroNegative]: String(model.zeroNegative ?? true),
    }),
    [configKeys.scheduler]: jsonText(model.scheduler),
  });
}

/** The text encoders' tensors: CLIP's under transformers' names, OpenCLIP's under its own. */
function textTensors(model: Model, changes: Changes, dtype: ModelFormat['dtype']): NamedTensor[] {
  const { textEncoder, textEncoder2 } = model;
  const text = tensorsOf(textEncoder, changes.textEncoder, dtype);
  const open = ({ config }: Model['textEncoder'], tensors: readonly NamedTensor[], prefix: string) =>
    under(prefix, openClipTensors(tensors, config.num_hidden_layers), (name) => name);
  if (textEncoder2)
    return [
      ...under(partPrefixes.xlClip, text, (name) => name),
      ...open(textEncoder2, tensorsOf(textEncoder2, changes.textEncoder2, dtype), partPrefixes.xlOpenClip),
    ];
  return modelSpecOf(model).isVersion2
    ? open(textEncoder, text, partPrefixes.openClip)
    : under(partPrefixes.clip, text, (name) => name);
}

function under(
  prefix: string,
  tensors: readonly NamedTensor[],
  rename: (name: string) => string | undefined,
): NamedTensor[] {
  return tensors.flatMap((named) => {
    const name = rename(named.name);
    return name === undefined ? [] : { ...named, name: prefix + name };
  });
}

/** LDM's VAE attention projects with 1×1 convolutions: two more axes, the same bytes. */
function asConvolution(named: NamedTensor): NamedTensor {
  const isProjection = /\.attentions\.0\.to_\w+(\.0)?\.weight$/.test(named.name);
  return isProjection
    ? { ...named, tensor: { ...named.tensor, shape: [...named.tensor.shape, 1, 1] } }
    : named;
}

/** OpenCLIP keeps q, k and v in one tensor, and its projection the other way around. */
function openClipTensors(text: readonly NamedTensor[], layers: number): NamedTensor[] {
  const ours = new Map(text.map((named) => [named.name, named]));
  const result = under('', text, renamer(swapped(openClipNames(layers))));
  for (let layer = 0; layer < layers; layer++)
    for (const kind of ['weight', 'bias']) {
      const parts = inProjParts.flatMap(
        (third) => ours.get(`text_model.encoder.layers.${layer}.self_attn.${third}.${kind}`) ?? [],
      );
      const [first] = parts;
      if (!first || parts.length !== 3) continue;
      const [rows, ...rest] = first.tensor.shape;
      const tensor = joined(
        parts.map((part) => part.tensor),
        [3 * (rows as number), ...rest],
      );
      result.push({
        name: `transformer.resblocks.${layer}.attn.in_proj_${kind}`,
        tensor,
        dtype: first.dtype,
      });
    }
  const projection = ours.get('text_projection.weight');
  if (projection) result.push({ ...projection, name: 'text_projection', tensor: turned(projection.tensor) });
  return result;
}
